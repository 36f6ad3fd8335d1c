#include "probe/media/e_model.hpp"

#include <algorithm>
#include <cmath>

namespace callready::media {
namespace {

double power(double db) { return std::pow(10, db / 10); }
double decibel(double ratio) { return 10 * std::log10(ratio); }

// The n-th root of 1 + x^n: how G.107 joins two straight lines.
double joined(double x, double n) { return std::pow(1 + std::pow(x, n), 1 / n); }

// Section 7.4 (7-28): nothing up to 100 ms.
double delay_impairment(double ta) {
  if (ta <= 100) return 0;
  const double x = std::log2(ta / 100);
  return 25 * (joined(x, 6) - 3 * joined(x / 3, 6) + 2);
}

// Section 7.5 (7-29); `most` is 95 for narrowband and 132 for fullband.
double loss_impairment(const Path& path, const Codec& codec, double most) {
  const double lost = path.loss_percent, bursts = std::max(1.0, path.burst_ratio);
  return codec.ie + (most - codec.ie) * lost / (lost / bursts + codec.bpl);
}

}  // namespace

Rating rate(const Path& path, const Codec& codec, const Telephone& t) {
  Rating rating;
  const double ta = path.delay_ms, tr = 2 * ta, olr = t.slr + t.rlr;
  // 7.2: noise, and the signal above it.
  const double sender = t.ps - olr - t.ds - 14;
  const double nos = t.ps - t.slr - t.ds - 100 + 0.004 * sender * sender;
  const double pre = t.pr + decibel(1 + power(10 - (t.stmr + t.dr)));
  const double nor = t.rlr - 121 + pre + 0.008 * (pre - 35) * (pre - 35);
  const double nfo = t.nfor + t.rlr;
  rating.no = decibel(power(t.nc) + power(nos) + power(nor) + power(nfo));
  rating.ro = 15 - 1.5 * (t.slr + rating.no);
  // 7.3: impairments simultaneous with the voice.
  const double xolr = olr + 0.2 * (64 + rating.no - t.rlr);
  rating.iolr = 20 * (joined(xolr / 8, 8) - xolr / 8);
  const double stmro = -decibel(power(-t.stmr) + std::exp(-ta / 4) * power(-t.telr));
  rating.ist = 12 * joined((stmro - 13) / 6, 8) - 28 * joined((stmro + 1) / 19.4, 35) -
               13 * joined((stmro - 3) / 33, 13) + 29;
  const double q = 37 - 15 * std::log10(t.qdu), g = 1.07 + 0.258 * q + 0.0602 * q * q;
  const double y = (rating.ro - 100) / 15 + 46 / 8.4 - g / 9, z = 46.0 / 30 - g / 40;
  rating.iq = 15 * std::log10(1 + std::pow(10, y) + std::pow(10, z));
  // 7.4: delay. The sidetone of 9 to 20 dB is assumed, where STMR changes nothing here.
  if (ta >= 1) {
    const double terv =
        t.telr - 40 * std::log10((1 + ta / 10) / (1 + ta / 150)) + 6 * std::exp(-0.3 * ta * ta);
    const double roe = -1.5 * (rating.no - t.rlr), re = 80 + 2.5 * (terv - 14);
    const double half = (roe - re) / 2;
    rating.idte = (half + std::sqrt(half * half + 100) - 1) * (1 - std::exp(-ta));
  }
  const double rle = 10.5 * (t.wepl + 7) * std::pow(tr + 1, -0.25);
  const double half = (rating.ro - rle) / 2;
  rating.idle = half + std::sqrt(half * half + 169);
  rating.idd = delay_impairment(ta);
  rating.ie_eff = loss_impairment(path, codec, 95);
  rating.r = rating.ro - rating.iolr - rating.ist - rating.iq - rating.idte - rating.idle -
             rating.idd - rating.ie_eff;
  return rating;
}

double mos(double r) {
  if (r <= 0) return 1;
  if (r >= 100) return 4.5;
  // Below R = 6.5 the polynomial falls under 1.
  return std::max(1.0, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6);
}

double rate_fullband(const Path& path, const Codec& codec) {
  return 148 - delay_impairment(path.delay_ms) - loss_impairment(path, codec, 132);
}

double mos_fullband(double r) { return mos(r / 1.48); }

}  // namespace callready::media
