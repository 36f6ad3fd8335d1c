// How a call sounds, from delay and loss: ITU-T G.107 (06/2015) for G.711, and an estimate after
// G.107.2 (06/2019) for Opus. Pure arithmetic.
#pragma once

namespace callready::media {

// G.107 table 2: what planners assume about telephones and rooms. Loudness ratings and noise in dB.
struct Telephone {
  double slr = 8, rlr = 2, stmr = 15, ds = 3, dr = 3, telr = 65, wepl = 110, qdu = 1;
  double ps = 35, pr = 35, nc = -70, nfor = -64;
};

// How a codec copes with loss: Ie and Bpl of G.113 appendix I.
struct Codec {
  double ie = 0, bpl = 25.1;
};
// With packet loss concealment (G.711 appendix I); 4.3 without, which no phone does today.
inline constexpr Codec g711{0, 25.1};
// There are no standard values for Opus: measured by Alahmadi, Pocta, Melvin, "An adaptive bitrate
// switching algorithm for speech applications in context of WebRTC", ACM TOMM 17(4) 133, 2021.
inline constexpr Codec opus{10.67, 9.79};

struct Path {
  double delay_ms = 0;      // mouth to ear: Ta
  double loss_percent = 0;  // lost or too late: Ppl
  double burst_ratio = 1;   // BurstR; below 1 counts as 1
};

// The parts of R (section 7), as far as tests compare them with reference values.
struct Rating {
  double no = 0, ro = 0;
  double iolr = 0, ist = 0, iq = 0;    // simultaneous
  double idte = 0, idle = 0, idd = 0;  // of delay: talker's echo, listener's echo, delay itself
  double ie_eff = 0;
  double r = 0;
};

// Narrowband: the whole of G.107 with T = Ta and Tr = 2 Ta.
Rating rate(const Path& path, const Codec& codec = g711, const Telephone& telephone = {});
// MOS of a narrowband R (annex B): 1 to 4.5.
double mos(double r);

// Fullband, R up to 148 (G.107.2): only the pure delay counts, since a headset has no echo.
double rate_fullband(const Path& path, const Codec& codec = opus);
double mos_fullband(double r);

}  // namespace callready::media
