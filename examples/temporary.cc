// SPDX-License-Identifier: MIT
//
// Temporary buffers: a loop that makes new strings to compare two; the
// report's "temporary" table shows allocations freed before the next one.
#include <cctype>
#include <cstdio>
#include <string>
#include <vector>

// Return a lower-case copy of `s` with a prefix, to force a heap block.
static std::string normalized(const std::string &s)
{
	std::string copy = "a prefix that exceeds the small buffer: " + s;

	for (char &c : copy)
		c = static_cast<char>(std::tolower(c));
	return copy;
}

// Count the words that equal `wanted` whatever their case.
static unsigned int count_matches(const std::vector<std::string> &words,
				  const std::string &wanted)
{
	unsigned int n = 0;

	for (const std::string &word : words)
		if (normalized(word) == normalized(wanted))
			n++;
	return n;
}

int main()
{
	std::vector<std::string> words;

	for (unsigned int i = 0; i < 1000; i++)
		words.push_back(i % 3 ? "Heap" : "Stack");
	unsigned int n = 0;
	for (unsigned int round = 0; round < 50; round++)
		n += count_matches(words, "heap");
	std::printf("%u matches\n", n);
}
