// SPDX-License-Identifier: MIT
/* What C++ makes of blocks: objects, strings, containers, cookies. */
#include "case.h"

#include <deque>
#include <exception>
#include <forward_list>
#include <functional>
#include <future>
#include <iostream>
#include <list>
#include <map>
#include <memory>
#include <new>
#include <sstream>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

struct left {
	virtual ~left() = default;
	long a;
};

struct right {
	virtual ~right() = default;
	long b;
};

struct both : left, right {
};

struct base {
	virtual ~base() = default;
	long a;
};

struct virtually : virtual base {
	long b;
};

struct derived : left {
	long c;
};

struct counted {
	~counted()
	{
		n = 0;
	}
	long n = 1;
};

struct peer {
	std::shared_ptr<peer> other;
	long room[4];
};

struct wide {
	alignas(128) char room[128];
};

/* Expect: none */
CASE(keep_string)
{
	static std::string text(100, 'x');

	text += "y";
}

/* Expect: definite 1 block 32 bytes in lose_string; indirect 1 block
 * 101 bytes */
CASE(lose_string)
{
	kept = new std::string(100, 'x');
	kept = nullptr;
}

/* Expect: definite 1 block 32 bytes in lose_short_string */
CASE(lose_short_string)
{
	kept = new std::string("short");
	kept = nullptr;
}

/* Expect: none */
CASE(keep_string_on_heap)
{
	kept = new std::string(1000, 'x');
}

/* Expect: none */
CASE(keep_short_string_on_heap)
{
	kept = new std::string("short");
}

/* Expect: none */
CASE(keep_object)
{
	kept = new derived;
}

/* Expect: none */
CASE(keep_first_base)
{
	kept = static_cast<left *>(new both);
}

/* Expect: possible 1 block 32 bytes in possible_second_base */
CASE(possible_second_base)
{
	kept = static_cast<right *>(new both);
}

/* Expect: possible 1 block 32 bytes in possible_virtual_base */
CASE(possible_virtual_base)
{
	kept = static_cast<base *>(new virtually);
}

/* Expect: definite 1 block 32 bytes in lose_both */
CASE(lose_both)
{
	kept = new both;
	kept = nullptr;
}

/* Expect: none */
CASE(keep_array)
{
	kept = new long[10];
}

/* Expect: none */
CASE(keep_counted)
{
	kept = new counted[4];
}

/* Expect: definite 1 block 40 bytes in lose_counted */
CASE(lose_counted)
{
	kept = new counted[4];
	kept = nullptr;
}

/* Expect: none */
CASE(keep_none_counted)
{
	volatile size_t none = 0;

	kept = new counted[none];
}

/* Expect: definite 1 block 8 bytes in lose_none_counted */
CASE(lose_none_counted)
{
	volatile size_t none = 0;

	kept = new counted[none];
	kept = nullptr;
}

/* Expect: possible 1 block 40 bytes in possible_counted */
CASE(possible_counted)
{
	kept = new counted[4] + 1;
}

static struct owner {
	~owner()
	{
		delete[] block;
	}
	char *block = new char[64];
} owner;

/* Expect: none */
CASE(free_in_static_destructor)
{
	kept = &owner;
}

/* Expect: none */
CASE(keep_leaky_singleton)
{
	static auto &map = *new std::map<int, std::string>;

	for (int i = 0; i < 50; i++)
		map[i] = std::string(50, 'x');
}

/* Expect: none */
CASE(keep_containers)
{
	static std::vector<std::string> v(50, std::string(50, 'x'));
	static std::deque<long> d(1000, 1);
	static std::unordered_map<int, std::list<int>> u;
	static std::forward_list<int> f{1, 2, 3};

	for (int i = 0; i < 100; i++)
		u[i % 10].push_back(i);
	kept = &v;
}

/* Expect: none */
CASE(free_containers)
{
	std::vector<std::string> v(50, std::string(50, 'x'));
	std::map<std::string, std::vector<int>> m;
	std::deque<std::string> d(100, std::string(30, 'y'));

	for (int i = 0; i < 100; i++)
		m[std::to_string(i % 10) + v[0]].push_back(i);
}

/* Expect: definite 1 block 24 bytes in lose_vector; indirect 1 block
 * 400 bytes */
CASE(lose_vector)
{
	kept = new std::vector<int>(100);
	kept = nullptr;
}

/* Expect: none */
CASE(keep_vector_of_vectors)
{
	kept = new std::vector<std::vector<int>>(10, std::vector<int>(10));
}

/* Expect: definite 1 block 48 bytes in lose_map; indirect 20 blocks
 * 800 bytes */
CASE(lose_map)
{
	auto *map = new std::map<int, int>;

	for (int i = 0; i < 20; i++)
		(*map)[i] = i;
	kept = map;
	kept = nullptr;
}

/* A container on the heap: its nodes point into it, and it to them. */
/* Expect: none */
CASE(keep_map)
{
	auto *map = new std::map<int, int>;

	for (int i = 0; i < 20; i++)
		(*map)[i] = i;
	kept = map;
}

/* Expect: definite 1 block 64 bytes in lose_shared_cycle; indirect 1 block
 * 64 bytes */
CASE(lose_shared_cycle)
{
	auto a = std::make_shared<peer>(), b = std::make_shared<peer>();

	a->other = b;
	b->other = a;
}

/* Expect: none */
CASE(keep_shared)
{
	static std::shared_ptr<peer> a = std::shared_ptr<peer>(new peer);

	a->other = std::shared_ptr<peer>(new peer);
}

/* Expect: none */
CASE(free_shared)
{
	auto a = std::make_shared<peer>();

	a->other = std::make_shared<peer>();
}

/* Expect: none */
CASE(free_unique)
{
	auto p = std::make_unique<both[]>(5);

	kept = p.get();
}

/* Expect: definite 1 block 8 bytes in lose_released */
CASE(lose_released)
{
	auto p = std::make_unique<long>(5);

	kept = p.release();
	kept = nullptr;
}

/* Expect: none */
CASE(keep_aligned)
{
	kept = new wide;
}

/* Expect: definite 1 block 128 bytes in lose_aligned */
CASE(lose_aligned)
{
	kept = new wide;
	kept = nullptr;
}

/* Expect: definite 1 block 16 bytes in lose_nothrow */
CASE(lose_nothrow)
{
	kept = new (std::nothrow) long[2];
	kept = nullptr;
}

/* Expect: none */
CASE(free_thrown)
{
	for (int i = 0; i < 20; i++)
		try {
			throw std::runtime_error(std::string(100, 'x'));
		} catch (const std::exception &e) {
			kept = nullptr;
		}
}

static OUTLINE void lose_and_throw()
{
	kept = new std::string(100, 'x');
	kept = nullptr;
	throw 5;
}

/* Expect: definite 1 block 32 bytes in lose_and_throw; indirect 1 block
 * 101 bytes */
CASE(lose_by_throw)
{
	try {
		lose_and_throw();
	} catch (int) {
	}
}

/* Expect: none */
CASE(keep_exception)
{
	static std::exception_ptr e;

	try {
		throw std::runtime_error("kept");
	} catch (...) {
		e = std::current_exception();
	}
}

/* Expect: none */
CASE(keep_function)
{
	static std::function<int()> f;
	std::string text(100, 'x');

	f = [text] { return static_cast<int>(text.size()); };
}

static OUTLINE std::string *&in_thread()
{
	static thread_local std::string *text;

	return text;
}

/* Expect: none */
CASE(keep_in_thread_local)
{
	in_thread() = new std::string(100, 'x');
}

static OUTLINE void grow_in_thread_local()
{
	static thread_local std::string text(100, 'x');

	text += "y";
}

/* Expect: none */
CASE(free_in_thread_local)
{
	std::thread(grow_in_thread_local).join();
	grow_in_thread_local();
}

/* Expect: none */
CASE(join_threads)
{
	std::vector<std::thread> threads;
	std::vector<std::string> texts(4);

	for (auto &text : texts)
		threads.emplace_back([&text] { text.assign(100, 'x'); });
	for (auto &t : threads)
		t.join();
}

/* Expect: none */
CASE(get_future)
{
	auto f = std::async(std::launch::async,
			    [] { return std::string(100, 'x'); });

	kept = reinterpret_cast<void *>(f.get().size());
}

/* Expect: none */
CASE(print_stream)
{
	std::ostringstream s;

	s << 5 << std::string(100, 'x');
	std::cout << s.str() << std::endl;
}

/* Expect: definite 1 block 40 bytes */
CASE(lose_in_constructor)
{
	struct failing {
		char *block = new char[40];
		failing()
		{
			kept = block;
			kept = nullptr;
			throw 5;
		}
	};

	try {
		failing f;
	} catch (int) {
	}
}

/* Expect: definite 1 block 16 bytes in lose_behind_base; indirect 2 blocks
 * 48 bytes */
CASE(lose_behind_base)
{
	struct holder : left {
		char *block = new char[24];
	};
	struct outer {
		left *base;
		long room;
	};

	kept = new outer{new holder, 0};
	kept = nullptr;
}
