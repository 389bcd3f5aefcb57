// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/support/Quote.h"

#include <gtest/gtest.h>

using thimble::escapeName;
using thimble::quoteName;

TEST(Quote, KeepsText) {
  EXPECT_EQ(quoteName(""), "\"\"");
  EXPECT_EQ(quoteName("conv2d/Relu;x"), "\"conv2d/Relu;x\"");
  EXPECT_EQ(quoteName("\xc3\xa9\xe6\xbc\xa2\xf0\x9f\x98\x80"),
            "\"\xc3\xa9\xe6\xbc\xa2\xf0\x9f\x98\x80\"");
}

TEST(Quote, Escapes) {
  EXPECT_EQ(quoteName("a\"b\\c"), "\"a\\\"b\\\\c\"");
  EXPECT_EQ(quoteName("a\nb\x1b[31m\x7f"), "\"a\\nb\\x1b[31m\\x7f\"");
  EXPECT_EQ(quoteName({"a\0b", 3}), "\"a\\x00b\"");
  // Right-to-left override, C1 control.
  EXPECT_EQ(quoteName("\xe2\x80\xae"), "\"\\u202e\"");
  EXPECT_EQ(quoteName("\xc2\x9b"), "\"\\x9b\"");
  // No character, in XML an error.
  EXPECT_EQ(quoteName("\xef\xbf\xbf"), "\"\\uffff\"");
}

TEST(Quote, EscapesBytesThatAreNotUtf8) {
  EXPECT_EQ(quoteName("\xff"), "\"\\xff\"");
  // Overlong, surrogate, cut off.
  EXPECT_EQ(quoteName("\xc0\xaf"), "\"\\xc0\\xaf\"");
  EXPECT_EQ(quoteName("\xed\xa0\x80"), "\"\\xed\\xa0\\x80\"");
  EXPECT_EQ(quoteName("a\xe6\xbc"), "\"a\\xe6\\xbc\"");
}

TEST(Quote, Shortens) {
  EXPECT_EQ(quoteName(std::string(64, 'a')), '"' + std::string(64, 'a') + '"');
  EXPECT_EQ(quoteName(std::string(1 << 20, 'a')), '"' + std::string(64, 'a') + "...\"");
  EXPECT_EQ(quoteName("abc", 2), "\"ab...\"");
}

TEST(Quote, EscapesWithoutQuotes) {
  EXPECT_EQ(escapeName(""), "");
  EXPECT_EQ(escapeName("a\"b\\c\nd"), "a\"b\\\\c\\nd");
  EXPECT_EQ(escapeName("abc", 2), "ab...");
}
