// SPDX-License-Identifier: MIT
//
// A cache that only grows: every page rendered is kept until the end, so the
// peak is the end and nearly all of it is the cache's, though nothing leaks.
#include <cstdio>
#include <map>
#include <memory>
#include <string>

struct page {
	std::string body;
};

class cache
{
      public:
	// Return the page of `id`, rendered when it is not there yet.
	const page &get(unsigned int id)
	{
		std::unique_ptr<page> &slot = pages[id];

		if (!slot)
			slot = render(id);
		return *slot;
	}

	size_t size() const
	{
		return pages.size();
	}

      private:
	static std::unique_ptr<page> render(unsigned int id)
	{
		auto p = std::make_unique<page>();

		for (unsigned int i = 0; i < 20; i++)
			p->body += "row " + std::to_string(id * i) + "\n";
		return p;
	}

	std::map<unsigned int, std::unique_ptr<page>> pages;
};

int main()
{
	cache c;
	size_t bytes = 0;

	for (unsigned int request = 0; request < 30000; request++)
		bytes += c.get(request * 7919u % 6000u).body.size();
	std::printf("%zu pages kept, %zu bytes served\n", c.size(), bytes);
}
