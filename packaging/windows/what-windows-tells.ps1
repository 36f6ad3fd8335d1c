# What Windows tells a program without an administrator's rights about packets that do not arrive. Nobody who
# develops callready has a PC with Windows: run this on one, and send the file that it writes with an issue.
#
#   powershell -ExecutionPolicy Bypass -File what-windows-tells.ps1 [-Program callready.exe] [-Target 1.1.1.1]
#
# It sends about 70 small packets to -Target (a host outside of your network that you may ping) and, where
# -Program is given, runs `callready check teams` twice. The file holds your computer's and your routers'
# addresses: read it before you send it, and replace what is nobody's business.
param([string]$Program = "", [string]$Target = "1.1.1.1", [string]$Output = "what-windows-tells.txt")

$lines = New-Object System.Collections.ArrayList
function Say([string]$text) { [void]$lines.Add($text); Write-Host $text }

# One datagram with that TTL to that port, and what the next read says within two seconds.
function Send-Datagram([string]$to, [int]$port, [int]$ttl) {
  $family = ([System.Net.IPAddress]$to).AddressFamily
  $socket = New-Object System.Net.Sockets.Socket($family, "Dgram", "Udp")
  try {
    $on = [BitConverter]::GetBytes([int]1)
    # SIO_UDP_CONNRESET, SIO_UDP_NETRESET: report what ICMP says of this socket's packets.
    foreach ($code in -1744830452, -1744830449) {
      try { [void]$socket.IOControl([int]$code, $on, $null) }
      catch { Say "  IOControl $code : $($_.Exception.InnerException.Message)" }
    }
    if ($ttl -gt 0) { $socket.Ttl = $ttl }
    $socket.ReceiveTimeout = 2000
    $socket.Connect($to, $port)
    $payload = New-Object byte[] 12
    $payload[0] = 0x80
    $clock = [Diagnostics.Stopwatch]::StartNew()
    [void]$socket.Send($payload)
    $buffer = New-Object byte[] 2048
    try { return "$($socket.Receive($buffer)) bytes after $($clock.ElapsedMilliseconds) ms" }
    catch {
      $inner = $_.Exception.InnerException
      return "error $($inner.NativeErrorCode) after $($clock.ElapsedMilliseconds) ms"
    }
  } finally { $socket.Close() }
}

# Who answers an echo with that TTL (IcmpSendEcho2Ex inside).
function Send-Echo([string]$to, [int]$ttl) {
  $ping = New-Object System.Net.NetworkInformation.Ping
  $options = New-Object System.Net.NetworkInformation.PingOptions($ttl, $true)
  try {
    $reply = $ping.Send($to, 2000, (New-Object byte[] 32), $options)
    return "$($reply.Status) $($reply.Address)"
  } catch { return "error: $($_.Exception.Message)" }
}

Say "Windows $([Environment]::OSVersion.Version), PowerShell $($PSVersionTable.PSVersion)"
$role = New-Object Security.Principal.WindowsPrincipal([Security.Principal.WindowsIdentity]::GetCurrent())
Say "administrator: $($role.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator))"
Get-NetAdapter -ErrorAction SilentlyContinue | Where-Object Status -eq "Up" |
  ForEach-Object { Say "adapter: $($_.InterfaceDescription), MTU $($_.MtuSize)" }
Get-NetFirewallProfile -ErrorAction SilentlyContinue |
  ForEach-Object { Say "firewall $($_.Name): $($_.Enabled)" }

Say ""
Say "1. To $Target, UDP 50000: what the socket is told (expected 10052, WSAENETRESET), and whom an echo names."
foreach ($ttl in 1..8) { Say "  TTL $ttl : UDP $(Send-Datagram $Target 50000 $ttl); echo $(Send-Echo $Target $ttl)" }
Say "  no TTL: UDP $(Send-Datagram $Target 50000 0)"
Say ""
Say "2. A closed port of this computer (expected 10054, WSAECONNRESET): $(Send-Datagram '127.0.0.1' 50001 0)"
Say ""
Say "3. Where no route leads (240.0.0.1; 10051, or 10052 as for a TTL?): $(Send-Datagram '240.0.0.1' 50000 0)"
Say ""
Say "4. Eight in a row to hop 2: how many are answered before the router has had enough?"
foreach ($i in 1..8) { Say "  UDP $(Send-Datagram $Target (50010 + $i) 2)" }
Say ""
Say "5. The same ways by IPv6, where there is any."
$six = "2606:4700:4700::1111"
foreach ($ttl in 1..4) {
  try { Say "  TTL $ttl : UDP $(Send-Datagram $six 50000 $ttl); echo $(Send-Echo $six $ttl)" }
  catch { Say "  TTL $ttl : $($_.Exception.Message)" }
}
if ($Program -ne "") {
  foreach ($run in 1..2) {
    Say ""
    Say "6. callready check teams --json, run $run"
    $report = & $Program check teams --no-keep --json 2>&1 | Out-String
    Say "  exit $LASTEXITCODE"
    Say $report
  }
}
$lines | Set-Content -Encoding UTF8 $Output
Write-Host "Written to $Output"
