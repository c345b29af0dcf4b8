/* SPDX-License-Identifier: MIT */
/* The mailbox; see control.h. */
#include "control.h"

#include <string.h>

#include "process.h"
#include "sys.h"

static struct {
	uint32_t taken; /* `asked` of what was taken last */
	void (*look)(void);
} control;

void mt_control_begin(void)
{
	control.taken = 0;
}

enum mt_command mt_control_take(char text[MT_MAX_MARK_BYTES + 1])
{
	struct mt_mailbox *m = mt_mailbox();
	uint32_t asked = __atomic_load_n(&m->asked, __ATOMIC_ACQUIRE);
	uint32_t taken = __atomic_load_n(&control.taken, __ATOMIC_RELAXED);

	if (asked == m->done || asked == taken ||
	    !__atomic_compare_exchange_n(&control.taken, &taken, asked, false,
					 __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return MT_COMMAND_NONE;
	memcpy(text, m->text, sizeof(m->text));
	text[MT_MAX_MARK_BYTES] = '\0';
	return (enum mt_command)m->command;
}

void mt_control_answer(int32_t result)
{
	struct mt_mailbox *m = mt_mailbox();

	m->result = result;
	__atomic_store_n(&m->done, control.taken, __ATOMIC_RELEASE);
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	(void)context;
	control.look();
}

bool mt_control_on_signal(int sig, void (*look)(void))
{
	struct sys_action before, mine = sys_action(on_signal);

	control.look = look;
	if (sys_action_get(sig, &before))
		return false;
	if (before.handler == mine.handler) /* of an earlier run */
		return true;
	return before.handler == SIG_DFL && sys_action_set(sig, &mine) == 0;
}
