#include "probe/media/e_model.hpp"

#include <gtest/gtest.h>

namespace callready::media {
namespace {

Path after(double delay_ms, double loss_percent = 0, double burst_ratio = 1) {
  return {delay_ms, loss_percent, burst_ratio};
}

// Computed three times by others with all of G.107's defaults.
TEST(EModel, HasTheGoldenValuesOfG107) {
  EXPECT_NEAR(rate(after(0)).r, 93.2062, 0.01);
  EXPECT_NEAR(rate(after(150)).r, 89.5391, 0.01);
  EXPECT_NEAR(rate(after(200)).r, 85.8047, 0.01);
  EXPECT_NEAR(rate(after(300)).r, 72.6664, 0.01);
}

TEST(EModel, HasTheGoldenPartsOfG107) {
  const auto rating = rate(after(150));
  EXPECT_NEAR(rating.no, -61.1792, 0.0001);
  EXPECT_NEAR(rating.ro, 94.7688, 0.0001);
  EXPECT_NEAR(rating.iolr, 0.4402, 0.0001);
  EXPECT_NEAR(rating.ist, -0.0007, 0.0001);
  EXPECT_NEAR(rating.iq, 0.9741, 0.0001);
  EXPECT_NEAR(rating.idte, 2.812, 0.001);
  EXPECT_NEAR(rating.idle, 0.841, 0.001);
  EXPECT_NEAR(rating.idd, 0.164, 0.001);
  EXPECT_EQ(rate(after(100)).idd, 0);
}

TEST(EModel, HearsLossAsTheCodecDoes) {
  EXPECT_NEAR(mos(rate(after(50, 1)).r), 4.29, 0.01);                 // with concealment
  EXPECT_NEAR(mos(rate(after(50, 1), Codec{0, 4.3}).r), 3.77, 0.01);  // without
  EXPECT_LT(rate(after(50, 2, 3)).r, rate(after(50, 2)).r) << "bursts are worse";
  EXPECT_EQ(rate(after(50, 2, 0.5)).r, rate(after(50, 2)).r) << "better than random does not count";
}

TEST(EModel, MosStaysInItsScale) {
  EXPECT_EQ(mos(-10), 1);
  EXPECT_EQ(mos(0), 1);
  EXPECT_EQ(mos(3), 1);
  EXPECT_NEAR(mos(50), 2.575, 0.0001);  // G.107 table B.1: 2.58
  EXPECT_NEAR(mos(93.2), 4.41, 0.005);
  EXPECT_EQ(mos(100), 4.5);
  EXPECT_EQ(mos(130), 4.5);
}

TEST(EModel, EstimatesOpusOnTheFullbandScale) {
  EXPECT_NEAR(rate_fullband(after(50)), 148 - 10.67, 1e-9);
  EXPECT_NEAR(mos_fullband(rate_fullband(after(50))), mos((148 - 10.67) / 1.48), 1e-9);
  // 1 %: 10.67 + (132 - 10.67) / (1 + 9.79)
  EXPECT_NEAR(rate_fullband(after(50, 1)), 148 - 21.9147, 0.001);
  EXPECT_LT(rate_fullband(after(300)), rate_fullband(after(100)));
}

}  // namespace
}  // namespace callready::media
