// SPDX-License-Identifier: MIT
/*
 * Bad frees of C++, and good ones that look like them.
 */
#include <algorithm>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "cases.h"

static void *volatile a;

static OUTLINE void *make(std::size_t size)
{
	void *volatile p = ::operator new(size);

	return p;
}

struct counted {
	~counted()
	{
		a = this;
	}
	long n = 1;
};

struct alignas(64) wide {
	char bytes[64];
};

struct derived : counted {
	long more[4];
};

/* Its own operators, of the class only. */
struct pooled {
	static void *operator new(std::size_t size)
	{
		return malloc(size);
	}
	static void operator delete(void *p)
	{
		free(p);
	}
	long n = 1;
};

static OUTLINE void delete_malloc()
{
	a = malloc(40);
	::operator delete(a);
}

static OUTLINE void free_new()
{
	a = make(40);
	free(a);
}

static OUTLINE void free_new_array()
{
	a = new char[40];
	free(a);
}

static OUTLINE void delete_array()
{
	a = new char[40];
	::operator delete(a);
}

static OUTLINE void array_delete()
{
	a = make(40);
	::operator delete[](a);
}

static OUTLINE void realloc_new()
{
	a = make(40);
	a = realloc(a, 100);
	free(a);
}

static OUTLINE void delete_twice()
{
	a = make(40);
	::operator delete(a);
	::operator delete(a);
}

/* The array's size is before it. */
static OUTLINE void delete_cookie()
{
	counted *p = new counted[4];

	a = p;
	::operator delete(a);
}

static OUTLINE void size()
{
	a = make(40);
	::operator delete(a, std::size_t(32));
}

static OUTLINE void size_of_array()
{
	a = new char[40];
	::operator delete[](a, std::size_t(41));
}

static OUTLINE void alignment()
{
	a = ::operator new(128, std::align_val_t(64));
	::operator delete(a, std::align_val_t(32));
}

static OUTLINE void alignment_forgotten()
{
	a = ::operator new(128, std::align_val_t(64));
	::operator delete(a);
}

static OUTLINE void alignment_invented()
{
	a = make(128);
	::operator delete(a, std::align_val_t(64));
}

static OUTLINE void good_containers()
{
	std::vector<std::string> v;
	std::vector<wide> w;

	for (int i = 0; i < 1000; i++) {
		v.push_back(std::string(i % 100, 'x'));
		w.push_back(wide());
	}
	std::stable_sort(v.begin(), v.end());
	std::thread([v]() mutable { v.clear(); }).join();
	auto p = std::make_shared<wide>();
	auto q = std::make_unique<counted[]>(7);
	std::unique_ptr<counted> r(new derived);

	(void)r.release();
}

static OUTLINE void good_operators()
{
	delete new pooled;
	delete new counted;
	delete[] new counted[5];
	delete new wide;
	delete[] new wide[3];
	a = ::operator new(10, std::nothrow);
	::operator delete(a, std::nothrow);
	a = ::operator new[](128, std::align_val_t(64), std::nothrow);
	::operator delete[](a, std::align_val_t(64), std::nothrow);
	try {
		throw std::string("thrown");
	} catch (const std::string &s) {
		a = const_cast<char *>(s.c_str());
	}
}

static const struct badfree_case cases[] = {
	{"delete_malloc", delete_malloc,
	 "mismatch delete_malloc delete_malloc"},
	{"free_new", free_new, "mismatch free_new make"},
	{"free_new_array", free_new_array,
	 "mismatch free_new_array free_new_array"},
	{"delete_array", delete_array, "mismatch delete_array delete_array"},
	{"array_delete", array_delete, "mismatch array_delete make"},
	{"realloc_new", realloc_new, "mismatch realloc_new make"},
	{"delete_twice", delete_twice, "double delete_twice make fatal=1"},
	{"delete_cookie", delete_cookie,
	 "interior delete_cookie delete_cookie offset=8"},
	{"size", size, "size size make bytes=40 said_bytes=32"},
	{"size_of_array", size_of_array,
	 "size size_of_array size_of_array bytes=40 said_bytes=41"},
	{"alignment", alignment,
	 "size alignment alignment alignment=64 said_alignment=32"},
	{"alignment_forgotten", alignment_forgotten,
	 "size alignment_forgotten alignment_forgotten alignment=64 "
	 "said_alignment=0"},
	{"alignment_invented", alignment_invented,
	 "size alignment_invented make alignment=0 said_alignment=64"},
	{"good_containers", good_containers, "none"},
	{"good_operators", good_operators, "none"},
	{nullptr, nullptr, nullptr},
};

int main(int argc, char **argv)
{
	return run_cases(cases, argc, argv);
}
