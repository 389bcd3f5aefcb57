/* Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
 *
 * Runs the programs of scale.mlir, words.mlir, float.mlir and regions.mlir in one firmware and
 * compares with plain C. Leaves with 1 where something differs.
 */
#include "thimble_fixed_point.h"

#define MODEL(name)                                                                                \
  int name##_init(void *arena);                                                                    \
  int name##_init_regions(void *const *regions);                                                   \
  void *name##_input_0(void *arena);                                                               \
  const void *name##_output_0(const void *arena);                                                  \
  int name##_invoke(void *arena)
MODEL(demo);
MODEL(w);
MODEL(f);
MODEL(r);

static _Alignas(8) uint8_t demo_arena[32], w_arena[32], f_arena[32];
static int differences;

static void expect(int condition) { differences += condition ? 0 : 1; }

static void run_demo(void) {
  static const int8_t weights[8] = {1, -2, 3, -4, 5, -6, 7, -8};
  void *const regions[1] = {demo_arena};
  int8_t *input = demo_input_0(demo_arena);
  const int8_t *output = demo_output_0(demo_arena);
  expect(demo_init(NULL) == THIMBLE_ERROR_NULL);
  expect(demo_init(demo_arena + 4) == THIMBLE_ERROR_ALIGNMENT);
  expect(demo_invoke(NULL) == THIMBLE_ERROR_NULL);
  demo_arena[7] = 1;
  expect(demo_init_regions(regions) == THIMBLE_OK && demo_arena[7] == 0);
  for (int base = -128; base <= 120; ++base) {
    for (int i = 0; i < 8; ++i)
      input[i] = (int8_t)(base + i);
    expect(demo_invoke(demo_arena) == THIMBLE_OK);
    for (int i = 0; i < 8; ++i)
      expect(output[i] ==
             thimble_clamp_i32(thimble_requantize_double((base + i) * weights[i], 1395864371, -3),
                               -128, 127));
  }
}

/* Two instances of two regions each. */
static void run_r(void) {
  static _Alignas(8) uint8_t arenas[2][16], others[2][16];
  expect(r_init(arenas[0]) == THIMBLE_ERROR_REGIONS && r_init(NULL) == THIMBLE_ERROR_NULL);
  expect(r_invoke(arenas[0]) == THIMBLE_ERROR_STATE && r_invoke(NULL) == THIMBLE_ERROR_NULL);
  expect(r_init_regions(NULL) == THIMBLE_ERROR_NULL);
  for (int k = 0; k < 2; ++k) {
    void *regions[2] = {arenas[k], NULL};
    expect(r_init_regions(regions) == THIMBLE_ERROR_NULL);
    regions[1] = others[k] + 4;
    expect(r_init_regions(regions) == THIMBLE_ERROR_ALIGNMENT);
    expect(arenas[k][0] == 0 && arenas[k][3] == 0); /* nothing done */
    regions[1] = others[k];
    others[k][8] = 77;
    expect(r_init_regions(regions) == THIMBLE_OK && others[k][8] == 0);
  }
  for (int times = 1; times <= 3; ++times)
    for (int k = 0; k < 2; ++k) {
      int8_t *input = r_input_0(arenas[k]);
      const int8_t *output = r_output_0(arenas[k]);
      for (int i = 0; i < 8; ++i)
        input[i] = (int8_t)(i + 10 * k);
      expect(r_invoke(arenas[k]) == THIMBLE_OK);
      for (int i = 0; i < 8; ++i)
        expect(output[i] == times * (i + 10 * k));
    }
}

static void run_w(void) {
  int8_t *input = w_input_0(w_arena);
  const int32_t *output = w_output_0(w_arena);
  int32_t sum = 0;
  for (int i = 0; i < 17; ++i)
    input[i] = (int8_t)(i * 37);
  for (int i = 1; i < 17; ++i)
    sum += 7 * input[i];
  expect(w_init(w_arena) == THIMBLE_OK && w_invoke(w_arena) == THIMBLE_OK);
  expect(output[0] == sum);
  expect(output[1] == (int32_t)(((int64_t)sum * sum) >> 32));
}

static void run_f(void) {
  static const float scales[4] = {1.5f, -2.25f, 0.1f, 3.0e5f}, x[4] = {0.3f, 1.7f, -2.9f, 0.5f};
  float *input = f_input_0(f_arena), sum = 0;
  const float *output = f_output_0(f_arena);
  for (int i = 0; i < 4; ++i)
    input[i] = x[i];
  expect(f_init(f_arena) == THIMBLE_OK && f_invoke(f_arena) == THIMBLE_OK);
  for (int i = 0; i < 4; ++i) {
    volatile float product = scales[i] * x[i]; /* rounded on its own */
    sum = sum + product;
    expect(output[i] == (sum > x[i] ? sum : x[i]));
  }
}

int main(void) {
  run_demo();
  run_r();
  run_w();
  run_f();
  return differences != 0;
}
