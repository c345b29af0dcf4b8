/* SPDX-License-Identifier: MIT */
/* Whose stack a mapping is; see home.h. */
#include "home.h"

#include <string.h>

#include "arch.h"
#include "sys.h"

/* Where a control block can begin. It has 2,304 bytes in glibc 2.36. */
#define TCB_ALIGN 64

/* Where in it the tid can be: behind the part that the ABI fixes (tcbhead_t),
 * within what the list of threads begins with. */
#define TID_FIRST 704
#define TID_LAST 1024

/* Its first and third word are its own address (tcbhead_t). */
#define SELF_WORD 2

/* Return where a control block has its tid, by this thread's; 0: nowhere. */
static uint32_t find_tid(uint32_t self)
{
	const char *tcb = (const char *)(uintptr_t)mt_thread_pointer();

	for (uint32_t at = TID_FIRST; at < TID_LAST; at += sizeof(self))
		if (memcmp(tcb + at, &self, sizeof(self)) == 0)
			return at;
	return 0;
}

bool mt_home_find(int mem, const struct mt_mapping *m, uint32_t self,
		  uint64_t words[MT_HOME_WORDS], struct mt_home *home)
{
	uint64_t start = m->end - m->start > MT_HOME_WORDS * 8
				 ? m->end - MT_HOME_WORDS * 8
				 : m->start;
	uint32_t tid = find_tid(self);
	long got = sys_pread(mem, words, m->end - start, start);

	for (long at = 0; tid && at + TID_LAST <= got; at += TCB_ALIGN) {
		const uint64_t *tcb = words + at / 8;

		if (tcb[0] != start + (uint64_t)at || tcb[SELF_WORD] != tcb[0])
			continue;
		home->tcb = tcb[0];
		memcpy(&home->tid, (const char *)tcb + tid, sizeof(tid));
		return true;
	}
	return false;
}
