// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// Portable DSP functions against the pseudocode of the Armv7-M manual, in wide integers.
#include "runtime/RuntimeFiles.h"
#include "runtime/thimble_dsp.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <random>

namespace {

int64_t half(uint32_t x, int i) { return static_cast<int16_t>(x >> (16 * i)); }
int64_t byteOf(uint32_t x, int i) { return static_cast<int8_t>(x >> (8 * i)); }
int32_t wrap(int64_t x) { return static_cast<int32_t>(static_cast<uint64_t>(x)); }
uint32_t pack(int64_t low, int64_t high) {
  return (static_cast<uint32_t>(low) & 0xffffu) | (static_cast<uint32_t>(high) << 16);
}
int64_t saturate(int64_t x, int bits) {
  const int64_t high = (int64_t{1} << (bits - 1)) - 1;
  return std::clamp(x, -high - 1, high);
}

TEST(RuntimeDsp, definitions) {
  std::mt19937_64 engine(3);
  const uint32_t edges[] = {0u, 0x80008000u, 0x7fff7fffu, 0x80000000u, 0x7fffffffu, 0xffffffffu};
  auto next = [&] {
    const uint64_t r = engine();
    return r % 8 == 0 ? edges[(r >> 8) % 6] : static_cast<uint32_t>(r >> 32);
  };
  for (int i = 0; i < 500000; ++i) {
    const uint32_t a = next(), b = next();
    const int32_t acc = static_cast<int32_t>(next()), sa = static_cast<int32_t>(a),
                  sb = static_cast<int32_t>(b);
    const int64_t a0 = half(a, 0), a1 = half(a, 1), b0 = half(b, 0), b1 = half(b, 1);
    const int64_t product = int64_t{sa} * sb;
    ASSERT_EQ(thimble_smlad(a, b, acc), wrap(acc + a0 * b0 + a1 * b1));
    ASSERT_EQ(thimble_smladx(a, b, acc), wrap(acc + a0 * b1 + a1 * b0));
    ASSERT_EQ(thimble_smuad(a, b), wrap(a0 * b0 + a1 * b1));
    ASSERT_EQ(thimble_smlald(a, b, product / 2), product / 2 + a0 * b0 + a1 * b1);
    ASSERT_EQ(thimble_smlabb(a, b, acc), wrap(acc + a0 * b0));
    ASSERT_EQ(thimble_smlabt(a, b, acc), wrap(acc + a0 * b1));
    ASSERT_EQ(thimble_smlatb(a, b, acc), wrap(acc + a1 * b0));
    ASSERT_EQ(thimble_smlatt(a, b, acc), wrap(acc + a1 * b1));
    ASSERT_EQ(thimble_smlawb(sa, b, acc), wrap(acc + ((sa * b0) >> 16)));
    ASSERT_EQ(thimble_smlawt(sa, b, acc), wrap(acc + ((sa * b1) >> 16)));
    ASSERT_EQ(thimble_smmul(sa, sb), wrap(product >> 32));
    ASSERT_EQ(thimble_smmla(sa, sb, acc), wrap(acc + (product >> 32)));
    ASSERT_EQ(thimble_smmulr(sa, sb), wrap((product + 0x80000000) >> 32));
    ASSERT_EQ(thimble_smmlar(sa, sb, acc), wrap(acc + ((product + 0x80000000) >> 32)));
    ASSERT_EQ(thimble_sxtb16(a), pack(byteOf(a, 0), byteOf(a, 2)));
    ASSERT_EQ(thimble_sxtb16_ror8(a), pack(byteOf(a, 1), byteOf(a, 3)));
    ASSERT_EQ(thimble_uxtb16(a), pack(byteOf(a, 0) & 255, byteOf(a, 2) & 255));
    ASSERT_EQ(thimble_uxtb16_ror8(a), pack(byteOf(a, 1) & 255, byteOf(a, 3) & 255));
    ASSERT_EQ(thimble_sadd16(a, b), pack(a0 + b0, a1 + b1));
    ASSERT_EQ(thimble_ssub16(a, b), pack(a0 - b0, a1 - b1));
    for (int byte = 0; byte < 4; ++byte) {
      ASSERT_EQ(byteOf(thimble_smax8(a, b), byte), std::max(byteOf(a, byte), byteOf(b, byte)));
      ASSERT_EQ(byteOf(thimble_smin8(a, b), byte), std::min(byteOf(a, byte), byteOf(b, byte)));
    }
    ASSERT_EQ(thimble_qadd16(a, b), pack(saturate(a0 + b0, 16), saturate(a1 + b1, 16)));
    ASSERT_EQ(thimble_qadd(sa, sb), saturate(int64_t{sa} + sb, 32));
    ASSERT_EQ(thimble_pkhbt16(a, b), pack(a0, b0));
    ASSERT_EQ(thimble_pkhtb16(a, b), pack(b1, a1));
    const int bits = i % 32;
    ASSERT_EQ(thimble_pkhbt(a, b, static_cast<uint32_t>(bits)), pack(a0, (b << bits) >> 16));
    ASSERT_EQ(thimble_pkhtb(a, b, static_cast<uint32_t>(bits)), pack(sb >> bits, a1));
    ASSERT_EQ(thimble_ssat(acc, bits + 1), saturate(acc, bits + 1));
    ASSERT_EQ(thimble_usat(acc, bits), std::clamp<int64_t>(acc, 0, (int64_t{1} << bits) - 1));
  }
}

TEST(RuntimeDsp, unalignedLoads) {
  const unsigned char bytes[] = {1, 2, 3, 4, 5, 6, 7};
  for (int i = 0; i < 3; ++i) {
    const uint32_t low = static_cast<uint32_t>(0x0201 + 0x0101 * i);
    EXPECT_EQ(thimble_load_u16(bytes + i), low);
    EXPECT_EQ(thimble_load_u32(bytes + i), low | ((low + 0x0202) << 16));
  }
}

TEST(RuntimeFiles, embedded) {
  bool umbrella = false;
  for (const thimble::RuntimeFile &file : thimble::runtimeHeaders()) {
    EXPECT_NE(file.contents.find("SPDX-License-Identifier: Apache-2.0"), std::string_view::npos);
    umbrella |= std::string_view(file.name) == "thimble_runtime.h";
  }
  EXPECT_TRUE(umbrella);
  EXPECT_EQ(thimble::runtimeBitcode().substr(0, 2), "BC");
}

} // namespace
