# SPDX-License-Identifier: MIT
#
# memtrace: a heap recorder (LD_PRELOAD) and its offline analyzer.
#
#   make                build/libmemtrace.so, build/memtrace,
#                       build/memtrace-report; installs nothing
#   make demo           set up, build, record examples/, print their reports
#   make check          set up, build everything, run every test
#   make bench          print the table of figures, heaptrack beside us
#   make bench-symbols  look up names in half a gigabyte of debug info, which
#                       takes ten minutes to build the first time
#   make bench-ring     what a bounded trace costs, and how long calls take
#   make bench-growth   how many leaks the verdict on growth finds and takes
#                       for one, beside simpler rules; SEEDS=20 of each kind
#   make bench-sampling what sampling costs, beside jemalloc's and gperftools'
#   make bench-leaks    what the leak verdict finds and costs, beside LSan and
#                       memcheck
#   make fuzz           fuzz the reader with libFuzzer for FUZZ_SECONDS
#   make lint           format, man pages, scripts, layers, exported names
#   make check-asan     the tests with ASan and UBSan in all but the recorder
#   make check-tsan     the unit tests with TSan
#   make check-export   let other tools judge what is exported for them
#   make check-ci       gate test suites of CMake, Meson and Automake
#   make check-leaks    judge the verdict on programs of known leaks
#   make check-kills    kill programs whose bounded traces are full; KILLS=50
#   make soak           watch services under load for SOAK_SECONDS=1200: does
#                       anything drift or leak; make check does so for 15 s
#   make check-install  install into a scratch DESTDIR and use it from there;
#                       as root also into PREFIX, unless it is there already
#   make distcheck      everything above on a clean export, gcc and clang
#   make install        into PREFIX; runs ldconfig when DESTDIR is empty
#   make uninstall      remove what install put there
#   make clean          remove B
#   make help           print this
#
#   PREFIX=/usr/local   where install goes, and DESTDIR before it
#   CC=cc CXX=c++       gcc 12 and clang 14 are known to do
#   CFLAGS='-O2 -g'     come last, so they win
#   V=1                 print whole commands
#   B=build             where everything that is built goes
#   SAN=address         sanitizers for the analyzer and the tests; the
#                       recorder is never instrumented
#
# "Set up" is .ci/setup: it names the Debian packages that are missing and
# installs them. Changed flags rebuild what they concern.
#
# A test program that needs flags of its own says so in a comment line
# "Build: FLAGS"; tests/host/lib*.c become shared libraries, and the recorder
# without its hooks is linked to a unit test that is named after one of its
# files, and to everything in tests/oracle.

PREFIX = /usr/local
DESTDIR =
CC = cc
CXX = c++
CFLAGS = -O2 -g
CXXFLAGS = $(CFLAGS)
B = build
SAN =
FUZZ_SECONDS = 60
SEEDS = 20
KILLS = 50
SOAK_SECONDS = 1200

all:

# Built-in rules never apply here; half-written targets must not stay.
MAKEFLAGS += -rR --no-print-directory
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all unit tests demo check bench bench-symbols bench-ring bench-growth \
	bench-leaks bench-sampling fuzz lint check-asan check-tsan \
	check-install check-export check-ci check-kills check-leaks distcheck \
	install soak uninstall clean help FORCE

ifeq ($(V),1)
Q =
say = @:
else
Q = @
say = @$(if $(findstring s,$(firstword -$(MAKEFLAGS))),:,printf '  %-7s %s\n')
endif

WARN = -Wall -Wextra -Wshadow -Wundef -Wpointer-arith -Wwrite-strings
CWARN = $(WARN) -Wstrict-prototypes -Wmissing-prototypes
COMMON = -std=gnu11 -D_GNU_SOURCE -Iinclude $(CWARN)
DEPS = -MMD -MP
SANFLAGS = $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all \
	-fno-omit-frame-pointer)

# What the recorder is compiled with, and why.
#   -O2               the hot path counts instructions; CFLAGS may say else
#   -fPIC             it is a shared library
#   -fvisibility=     only what the version script names gets out
#   -ftls-model=      no __tls_get_addr, which may call malloc; a preloaded
#                     library always gets its TLS in the static block
#   -fno-builtin-*    gcc would turn malloc+memset in calloc into a call of
#                     calloc, and drop pairs whose result is not used
#   -fasynchronous-*  the unwinder starts in our own frames, at any pc
#   hooks: frame ptr  the walk out of a hook starts with one fixed rule
PRELOAD_FLAGS = -O2 -fPIC -fvisibility=hidden -ftls-model=initial-exec \
	-fno-builtin-malloc -fno-builtin-calloc -fno-builtin-realloc \
	-fno-builtin-free -fasynchronous-unwind-tables
$B/preload/hooks.o $B/preload/hooks_os.o: PRELOAD_FLAGS += \
	-fno-omit-frame-pointer

# What it is linked with, and why.
#   -z defs           a name that nobody defines fails here, not in a program
#   -z now, -z relro  no lazy binding (the resolver inside a hook), and the
#                     table of pointers read-only afterwards
#   -z nodelete       dlclose() of it must not leave hooks behind
#   --exclude-libs    the static libzstd stays hidden
#   -static-libgcc    needs libc and nothing else
PRELOAD_LINK = -shared -Wl,-soname,libmemtrace.so -Wl,-z,defs -Wl,-z,now \
	-Wl,-z,relro -Wl,-z,nodelete -Wl,--exclude-libs,ALL -static-libgcc \
	-Wl,--version-script=preload/libmemtrace.map
ZSTD_A := $(shell $(CC) -print-file-name=libzstd.a)

ANALYZER_LIBS = -lsqlite3 -lmicrohttpd -ldw -lelf -lzstd -lz -liberty \
	-lncursesw -ltinfo -lm

# Programs under test: allocations that the compiler would elide stay.
TEST_FLAGS = -pthread -fno-builtin-malloc -fno-builtin-calloc \
	-fno-builtin-realloc -fno-builtin-free
build_line = $$(sed -n 's,^[ /*]*Build: \([^*]*\).*,\1,p' $<)

# The rooms of a side: headers are included by their names alone.
rooms = $(addprefix -iquote,$(patsubst %/,%,$(sort $(dir $(wildcard \
	$(1)/*.h $(1)/*/*.h)))))
objects = $(patsubst %.c,$B/%.o,$(1))
programs = $(patsubst %,$B/%,$(basename $(1)))

PRELOAD := $(call objects,$(wildcard preload/*.c preload/*/*.c))
ANALYZER := $(call objects,$(filter-out analyzer/main.c analyzer/launch.c,\
	$(wildcard analyzer/*.c analyzer/*/*.c)))
# The recorder's modules as ordinary objects, with sanitizers, for tests.
PURE := $(patsubst preload/%.c,$B/pure/%.o,$(filter-out preload/hooks.c,\
	$(wildcard preload/*.c preload/*/*.c)))

UNIT := $(call programs,$(wildcard tests/unit/test_*.c))
ORACLE := $(call programs,$(wildcard tests/oracle/*.c tests/oracle/*.cc))
HOST_LIBS := $(patsubst %,$B/%.so,$(basename \
	$(wildcard tests/host/lib*.c tests/host/lib*.cc)))
HOST := $(call programs,$(filter-out tests/host/lib%,\
	$(wildcard tests/host/*.c tests/host/*.cc)))
BENCH := $(call programs,$(wildcard tests/bench/*.c))
FUZZ := $(call programs,$(wildcard tests/fuzz/fuzz_*.c))
# Programs that make traces for others, by hand; built so that they last.
TOOLS := $(call programs,$(filter-out %/replay.c tests/fuzz/fuzz_%,\
	$(wildcard tests/fuzz/*.c)) $(filter-out tests/unit/test_%,\
	$(wildcard tests/unit/*.c)))
EXAMPLES := $(call programs,$(wildcard examples/*.c examples/*.cc))

PRODUCTS := $(if $(PRELOAD),$B/libmemtrace.so) \
	$(if $(wildcard analyzer/launch.c),$B/memtrace) \
	$(if $(wildcard analyzer/main.c),$B/memtrace-report)

COMPLETIONS := $(addprefix $B/completion/,bash zsh fish)

all: $(PRODUCTS) $(COMPLETIONS)
unit: $(UNIT)
tests: all $(UNIT) $(ORACLE) $(HOST_LIBS) $(HOST) $(FUZZ) $(TOOLS) \
	$(EXAMPLES)

# A stamp that changes when its text does: what depends on it is rebuilt.
stamp = @mkdir -p $(@D); echo '$(1)' | cmp -s - $@ || echo '$(1)' >$@
$B/flags: FORCE
	$(call stamp,$(CC) $(CXX) $(CFLAGS) $(CXXFLAGS) $(SAN) \
		$(COMMON) $(PRELOAD_FLAGS) $(PRELOAD_LINK) $(TEST_FLAGS))
$B/objects: FORCE
	$(call stamp,$(PRELOAD) $(ANALYZER))
FORCE:

$B/preload/%.o: preload/%.c $B/flags
	$(say) CC $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(COMMON) $(call rooms,preload) $(DEPS) $(PRELOAD_FLAGS) \
		$(CFLAGS) -c -o $@ $<

$B/pure/%.o: preload/%.c $B/flags
	$(say) CC $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(COMMON) $(call rooms,preload) $(DEPS) $(PRELOAD_FLAGS) \
		$(SANFLAGS) $(CFLAGS) -c -o $@ $<

$B/analyzer/%.o: analyzer/%.c $B/flags
	$(say) CC $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(COMMON) -Ianalyzer $(call rooms,analyzer) $(DEPS) \
		$(SANFLAGS) $(CFLAGS) -c -o $@ $<

$B/libmemtrace.so: $(PRELOAD) preload/libmemtrace.map $B/flags $B/objects
	$(say) LD $@
	$(Q)$(CC) $(PRELOAD_LINK) -o $@ $(PRELOAD) $(ZSTD_A)

$B/analyzer.a: $(ANALYZER) $B/objects
	$(say) AR $@
	$(Q)rm -f $@ && ar rcs $@ $(ANALYZER)

$B/pure.a: $(PURE) $B/objects
	$(say) AR $@
	$(Q)rm -f $@ && ar rcs $@ $(PURE)

LINK = $(CC) $(SANFLAGS) $(CFLAGS) -o $@
$B/memtrace: $B/analyzer/launch.o $B/analyzer.a
	$(say) LD $@
	$(Q)$(LINK) $^ -Wl,--as-needed $(ANALYZER_LIBS)

$B/memtrace-report: $B/analyzer/main.o $B/analyzer.a
	$(say) LD $@
	$(Q)$(LINK) $^ -Wl,--as-needed $(ANALYZER_LIBS)

$B/completion/%: $B/memtrace-report
	$(say) GEN $@
	@mkdir -p $(@D)
	$(Q)$B/memtrace-report completion $* >$@

TEST_INCLUDES = -Ianalyzer -Itests $(call rooms,analyzer) \
	$(call rooms,preload)
# The recorder's archive, for a unit test named after one of its files.
pure_of = $(if $(wildcard preload/$(patsubst test_%,%.c,$(1)) \
	preload/*/$(patsubst test_%,%.c,$(1))),$B/pure.a)
.SECONDEXPANSION:
$(UNIT) $(TOOLS): $B/%: %.c $B/analyzer.a $$(call pure_of,$$(@F)) $B/flags
	$(say) CC $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(COMMON) $(DEPS) $(TEST_INCLUDES) $(SANFLAGS) -pthread \
		$(CFLAGS) -o $@ $< $(build_line) $(filter %.a,$^) -lcheck \
		-lsubunit -lm -lrt -Wl,--as-needed $(ANALYZER_LIBS)

$(FUZZ): $B/%: %.c $B/analyzer.a $(wildcard tests/fuzz/replay.c) $B/flags
	$(say) CC $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(COMMON) $(DEPS) $(TEST_INCLUDES) $(SANFLAGS) $(CFLAGS) \
		-o $@ $(filter %.c %.a,$^) $(ANALYZER_LIBS)

$B/tests/oracle/%: tests/oracle/%.c $B/pure.a $B/flags
	$(say) CC $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(COMMON) $(DEPS) $(TEST_INCLUDES) $(TEST_FLAGS) $(CFLAGS) \
		-o $@ $< $B/pure.a $(build_line) -Wl,--as-needed -lzstd

$B/tests/host/lib%.so: tests/host/lib%.c $B/flags
	$(say) CC $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(COMMON) $(DEPS) $(TEST_FLAGS) $(CFLAGS) -fPIC -shared \
		-o $@ $< $(build_line)

$B/tests/host/lib%.so: tests/host/lib%.cc $B/flags
	$(say) CXX $@
	@mkdir -p $(@D)
	$(Q)$(CXX) -D_GNU_SOURCE -Iinclude $(WARN) $(DEPS) $(TEST_FLAGS) \
		$(CXXFLAGS) -fPIC -shared -o $@ $< $(build_line)

$B/tests/%: tests/%.c $B/flags
	$(say) CC $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(COMMON) $(DEPS) $(TEST_FLAGS) $(CFLAGS) -o $@ $< \
		$(build_line)

$B/tests/%: tests/%.cc $B/flags
	$(say) CXX $@
	@mkdir -p $(@D)
	$(Q)$(CXX) -D_GNU_SOURCE -Iinclude $(WARN) $(DEPS) $(TEST_FLAGS) \
		$(CXXFLAGS) -o $@ $< $(build_line)

$B/examples/%: examples/%.c $B/flags
	$(say) CC $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(COMMON) $(DEPS) -pthread $(CFLAGS) -o $@ $<

$B/examples/%: examples/%.cc $B/flags
	$(say) CXX $@
	@mkdir -p $(@D)
	$(Q)$(CXX) $(WARN) $(DEPS) -pthread $(CXXFLAGS) -o $@ $<

-include $(wildcard $B/*/*.d $B/*/*/*.d)

help:
	@sed -n '/^[^#]/q; /^$$/q; 1,2d; s/^# \{0,1\}//p' Makefile

# Set up first, then build in parallel: hence the second make.
check:
	@.ci/setup build test
	@$(MAKE) tests
	@MT_BUILD=$(abspath $B) tests/run

demo:
	@.ci/setup build
	@$(MAKE) all $(EXAMPLES)
	@B=$B examples/demo

bench:
	@.ci/setup build bench
	@$(MAKE) all $(BENCH)
	@B=$B tests/bench/run

bench-symbols:
	@.ci/setup build bench
	@$(MAKE) $B/tests/unit/look_up
	@B=$B tests/bench/symbols

bench-ring:
	@.ci/setup build bench
	@$(MAKE) all $(BENCH)
	@B=$B tests/bench/ring

bench-growth:
	@.ci/setup build bench
	@$(MAKE) $B/tests/unit/growth_bench
	@$B/tests/unit/growth_bench $(SEEDS)

bench-sampling:
	@.ci/setup build bench
	@$(MAKE) all $(BENCH)
	@B=$B tests/bench/sampling

bench-leaks:
	@.ci/setup build test lint bench leaks
	@$(MAKE) all $(BENCH)
	@MT_BUILD=$(abspath $B) tests/leaks/bench

# LLVM has the fuzzer, so clang builds this one.
fuzz:
	@.ci/setup build fuzz
	@B=$B/fuzz CC=clang FUZZ_SECONDS=$(FUZZ_SECONDS) \
		LIBS='$(ANALYZER_LIBS)' tests/fuzz/run

lint:
	@.ci/setup build lint
	@$(MAKE) $B/libmemtrace.so
	@B=$B CC='$(CC)' tests/lint

check-asan:
	@.ci/setup build test
	@$(MAKE) B=$B/asan SAN=address,undefined tests
	@MT_BUILD=$(abspath $B/asan) tests/run

check-tsan:
	@.ci/setup build test
	@$(MAKE) B=$B/tsan SAN=thread unit
	@MT_BUILD=$(abspath $B/tsan) tests/run unit/

check-export:
	@.ci/setup build test export
	@$(MAKE) tests
	@MT_BUILD=$(abspath $B) tests/run export/

check-ci: all
	@.ci/setup build test ci
	@MT_BUILD=$(abspath $B) tests/run ci/

check-leaks: all
	@.ci/setup build test lint
	@MT_BUILD=$(abspath $B) tests/leaks/run
	@MT_BUILD=$(abspath $B) tests/badfree/run

# Of the kills and the soak one case each is a part of make check.
check-kills:
	@.ci/setup build test
	@$(MAKE) tests
	@MT_BUILD=$(abspath $B) KILLS=$(KILLS) tests/run -v -t 3600 \
		integration/ring_kills

soak:
	@.ci/setup build test
	@$(MAKE) tests
	@MT_BUILD=$(abspath $B) SOAK_SECONDS=$(SOAK_SECONDS) \
		tests/run -v -t $$(($(SOAK_SECONDS) + 600)) integration/soak

check-install: all
	@B=$B PREFIX='$(PREFIX)' tests/install

distcheck:
	@B=$B tests/distcheck

bindir = $(DESTDIR)$(PREFIX)/bin
libdir = $(DESTDIR)$(PREFIX)/lib
mandir = $(DESTDIR)$(PREFIX)/share/man
incdir = $(DESTDIR)$(PREFIX)/include/memtrace
share = $(DESTDIR)$(PREFIX)/share
bashdir = $(share)/bash-completion/completions
zshdir = $(share)/zsh/site-functions
fishdir = $(share)/fish/vendor_completions.d
API := $(wildcard include/memtrace/memtrace.h)

install: all
	install -d '$(bindir)' '$(libdir)' '$(mandir)/man1' '$(mandir)/man5'
	install -m 755 $B/memtrace $B/memtrace-report '$(bindir)'
	install -m 644 $B/libmemtrace.so '$(libdir)'
	install -m 644 man/*.1 '$(mandir)/man1'
	install -m 644 man/*.5 '$(mandir)/man5'
	install -d '$(bashdir)' '$(zshdir)' '$(fishdir)'
	install -m 644 $B/completion/bash '$(bashdir)/memtrace-report'
	install -m 644 $B/completion/zsh '$(zshdir)/_memtrace-report'
	install -m 644 $B/completion/fish '$(fishdir)/memtrace-report.fish'
ifneq ($(API),)
	install -d '$(incdir)'
	install -m 644 $(API) '$(incdir)'
endif
ifeq ($(DESTDIR),)
	@.ci/ldconfig '$(libdir)'
endif

uninstall:
	rm -f '$(bindir)/memtrace' '$(bindir)/memtrace-report'
	rm -f '$(libdir)/libmemtrace.so' '$(incdir)/memtrace.h'
	rm -f $(patsubst man/%,'$(mandir)/man1/%',$(wildcard man/*.1))
	rm -f $(patsubst man/%,'$(mandir)/man5/%',$(wildcard man/*.5))
	rm -f '$(bashdir)/memtrace-report' '$(zshdir)/_memtrace-report' \
		'$(fishdir)/memtrace-report.fish'
	rmdir '$(incdir)' 2>/dev/null || :
ifeq ($(DESTDIR),)
	@.ci/ldconfig '$(libdir)'
endif

clean:
	rm -rf $B
