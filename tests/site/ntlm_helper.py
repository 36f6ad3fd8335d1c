"""Squid's helper for NTLM ([MS-NLMP]), which knows one user and his password, and checks both.

Squid's own ntlm_fake_auth takes any password. Usage: ntlm_helper.py USER FILE, with the password in
the file; what it answers is recorded beside that, in "ntlm". On standard input, a line each:

    YR <message 1>   -> TT <message 2: the challenge>
    KK <message 3>   -> AF user, or NA reason
"""

import base64
import hmac
import os
import struct
import sys

SIGNATURE = b"NTLMSSP\0"
# Unicode, NTLM, always sign, extended session security, target info, 128 bits.
FLAGS = 0x00000001 | 0x00000200 | 0x00008000 | 0x00080000 | 0x00800000 | 0x20000000
END, NETBIOS_DOMAIN = 0, 2  # of the target info (section 2.2.2.1)


def _rotated(value, count):
    value &= 0xffffffff
    return (value << count | value >> (32 - count)) & 0xffffffff


def md4(data):
    """RFC 1320; OpenSSL 3 has it in its legacy provider only."""
    state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476]
    padded = data + b"\x80" + bytes(-(len(data) + 9) % 64) + struct.pack("<Q", 8 * len(data))
    rounds = (
        (lambda x, y, z: x & y | ~x & z, 0, range(16), (3, 7, 11, 19)),
        (lambda x, y, z: x & y | x & z | y & z, 0x5a827999,
         [4 * (i % 4) + i // 4 for i in range(16)], (3, 5, 9, 13)),
        (lambda x, y, z: x ^ y ^ z, 0x6ed9eba1,
         [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15], (3, 9, 11, 15)))
    for start in range(0, len(padded), 64):
        words = struct.unpack("<16I", padded[start:start + 64])
        a, b, c, d = state
        for mix, constant, order, turns in rounds:
            for number, word in enumerate(order):
                new = _rotated(a + mix(b, c, d) + words[word] + constant, turns[number % 4])
                a, b, c, d = d, new, b, c
        state = [(x + y) & 0xffffffff for x, y in zip(state, (a, b, c, d))]
    return struct.pack("<4I", *state)


def challenge_message(challenge):
    """Message 2 (section 2.2.1.2): with target info, so that clients answer by NTLMv2."""
    name = "SITE".encode("utf-16-le")
    info = struct.pack("<HH", NETBIOS_DOMAIN, len(name)) + name + struct.pack("<HH", END, 0)
    head = 56  # with the version, which is left empty
    return (SIGNATURE + struct.pack("<IHHII", 2, len(name), len(name), head, FLAGS) + challenge +
            bytes(8) + struct.pack("<HHI", len(info), len(info), head + len(name)) + bytes(8) +
            name + info)


def _field(message, at):
    size, _, offset = struct.unpack_from("<HHI", message, at)
    return message[offset:offset + size]


def is_right(message, challenge, user, password):
    """Whether message 3 (section 2.2.1.3) was made with this password, by NTLMv2 (3.3.2)."""
    answer = _field(message, 20)
    domain, name = (_field(message, at).decode("utf-16-le") for at in (28, 36))
    if name != user or len(answer) < 24 + 16:
        return False
    key = hmac.new(md4(password.encode("utf-16-le")), (name.upper() + domain).encode("utf-16-le"),
                   "md5").digest()
    proof = hmac.new(key, challenge + answer[16:], "md5").digest()
    return hmac.compare_digest(proof, answer[:16])


def main(user, file_name):
    """Answers until squid closes its end."""
    with open(file_name, encoding="utf-8") as file:
        password = file.read()
    challenge = bytes(8)
    record = open(os.path.join(os.path.dirname(file_name), "ntlm"), "a", buffering=1,
                  encoding="ascii")
    for line in sys.stdin:
        word, _, text = line.strip().partition(" ")
        try:
            message = base64.b64decode(text, validate=True)
            if word == "YR":
                challenge = os.urandom(8)
                answer = "TT " + base64.b64encode(challenge_message(challenge)).decode()
            elif is_right(message, challenge, user, password):
                answer = "AF " + user
            else:
                answer = "NA wrong"
        except (ValueError, struct.error):
            answer = "BH garbled"
        record.write(answer.partition(" ")[0] + " " + answer[3:] * (word != "YR") + "\n")
        print(answer, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
