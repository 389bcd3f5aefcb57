// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// What a build with AddressSanitizer must know of the LLVM that it links to: the distribution's
// is not instrumented, so it never unpoisons what the allocators of its headers poison here.

#ifdef __SANITIZE_ADDRESS__
#define THIMBLE_HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define THIMBLE_HAS_ASAN 1
#endif
#endif

#ifdef THIMBLE_HAS_ASAN
extern "C" const char *__asan_default_options();
extern "C" const char *__asan_default_options() { return "allow_user_poisoning=0"; }
#endif
