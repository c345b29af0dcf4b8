/* SPDX-License-Identifier: MIT */
/*
 * The unwinder: reuse what did not change.
 *
 * Allocations come in runs that share most of their stack. So each thread
 * keeps its last stack: per frame its place (pc, sp, bp), its node, and what
 * slots of memory were read to get from it to the next frame out: that one's
 * pc at its sp - 8, and seldom others. A new stack is walked from the hook
 * outward by cached rules; as soon as a frame has the place of a kept one, the
 * rest of the walk is a pure function of the kept slots: they are compared
 * instead, and when all are equal, the kept frames and their nodes stand.
 *
 * Why this is right: a step outward computes the next place from (pc, sp, bp),
 * the module's tables, and the slots it reads. Same place, same tables, same
 * slots: same next place. (bp counts only where a CFA further out is computed
 * from it; most code uses it for other things.) Tables change with dlclose
 * only; then every kept stack is forgotten (record.c). A slot that differs
 * ends the agreement there: the walk goes on from that frame, and may meet the
 * kept stack again further out.
 *
 * Most walks are one that was made before, and need not be made: path.h.
 *
 * What the short rules (rules.h) do not fit is walked whole, with all
 * registers, by walk_full(), and no frame inside it is kept.
 *
 * Nothing is written to the program's stack, and nothing outside the mapping
 * that holds sp is read.
 */
#include "unwind.h"

#include <string.h>

#include "full.h"
#include "path.h"
#include "stacktab.h"
#include "unwinder.h"

const size_t mt_unwinder_bytes = sizeof(struct mt_unwinder);

/* Forget the rules, and the paths, which are made of them. */
static __attribute__((noinline)) void forget_rules(struct mt_unwinder *u)
{
	if (!u->nears)
		return;
	u->nears = 0;
	memset(u->near_at, 0, sizeof(u->near_at));
	memset(u->path, 0, sizeof(u->path));
}

/* Read a slot of the stack that frame `s` is on; false: out of bounds. */
static bool step_read(const struct mt_extent *r, const struct step *s,
		      uint64_t address, uint64_t *value)
{
	if (address - s->sp > r->end - 8 - s->sp || address & 7)
		return false;
	*value = *(const uint64_t *)(uintptr_t)address;
	return true;
}

enum outcome {
	STEP_ON,   /* there is a next frame */
	STEP_END,  /* this one is the outermost */
	STEP_NONE, /* this is no frame at all */
	STEP_FULL, /* its rule is walk_full()'s business */
};

/* Step outward by one of the rarer rules. */
static __attribute__((noinline)) enum outcome step_rare(
	const struct mt_extent *r, struct step *s, struct step *next)
{
	unsigned int kind = s->rule & 7;

	s->reads = READS_NONE;
	if (kind == RULE_END || kind == RULE_FULL)
		return kind == RULE_END ? STEP_END : STEP_FULL;
	if (kind == RULE_GUESS)
		next->sp = s->bp + 16;
	else if (!step_read(r, s, s->bp + (uint64_t)mt_rule_offset(s->rule),
			    &next->sp))
		return STEP_END;
	if (s->bp < s->sp || next->sp <= s->sp ||
	    !step_read(r, s, next->sp - 8, &next->pc) ||
	    !step_read(r, s, s->bp, &next->bp))
		return STEP_END;
	s->bp_slot = s->bp;
	s->reads = kind == RULE_DEREF ? READS_DEREF : READS_PLACE;
	if (next->pc)
		return STEP_ON;
	s->reads = READS_ZERO;
	return STEP_END;
}

/* Step outward from `s` by its rule, into `next`'s place. */
static inline __attribute__((always_inline)) enum outcome step_out(
	const struct mt_extent *r, struct step *s, uint64_t rule,
	struct step *next)
{
	uint64_t cfa = rule & 1 ? s->sp : s->bp, slot;

	s->rule = rule;
	if (unlikely((rule & 7) > RULE_BP))
		return step_rare(r, s, next);
	cfa += (uint64_t)mt_rule_offset(rule);
	s->reads = READS_NONE;
	if (unlikely(cfa <= s->sp || cfa > r->end || cfa & 7))
		/* By bp it may be on another stack. */
		return rule & 1 ? STEP_END : STEP_FULL;
	next->sp = cfa;
	next->pc = *(const uint64_t *)(uintptr_t)(cfa - 8);
	next->bp = s->bp;
	s->bp_slot = 0;
	if (mt_rule_bp(rule)) {
		slot = cfa + (uint64_t)mt_rule_bp(rule);
		if (unlikely(slot < s->sp))
			return STEP_END;
		s->bp_slot = slot;
		next->bp = *(const uint64_t *)(uintptr_t)slot;
	}
	s->reads = READS_PLACE;
	if (likely(next->pc))
		return STEP_ON;
	s->reads = READS_ZERO;
	return STEP_END;
}

/* Get the row of a pc under the lock; false: none. */
static bool full_row(struct mt_unwinder *u, uint64_t at, struct mt_cfi_row *row)
{
	const struct mt_module *m;

	hold(u);
	m = mt_module_find(at);
	return m && mt_cfi_row(&m->cfi, at, row);
}

/*
 * Note the frame that `f` stands at as the `n`-th. Its step is checked like
 * any other when its rule is simple, else it is not kept.
 */
static bool full_note(struct mt_unwinder *u, const struct mt_full *f,
		      struct step *s, uint64_t key)
{
	uint16_t near = near_get(u, key);

	if (!near)
		return false;
	s->pc = key;
	s->sp = f->reg[MT_REG_SP];
	s->bp = f->reg[MT_REG_BP];
	if (step_out(&u->extents.now, s, u->rule[near], s + 1) == STEP_FULL)
		s->reads = READS_OPAQUE;
	return true;
}

/*
 * Walk the whole stack with all registers, from this function outward; note
 * frames from `at` on. Returns how many.
 */
static __attribute__((noinline)) uint32_t walk_full(struct mt_unwinder *u,
						    const struct mt_place *at,
						    bool *more)
{
	struct mt_full f = {.extents = &u->extents};
	struct mt_cfi_row row;
	bool exact = true, noting = false, on = true;
	uint32_t n = 0;

	*more = false;
	mt_registers(f.reg);
	while (on) {
		uint64_t pc = f.reg[MT_REG_PC];

		noting |= pc == at->pc && f.reg[MT_REG_SP] == at->sp;
		if (!mt_extent_holds(&u->extents.now, f.reg[MT_REG_SP]) &&
		    !mt_extents_enter(&u->extents, f.reg[MT_REG_SP]))
			break;
		if (noting) {
			*more = n == MT_MAX_FRAMES;
			if (*more ||
			    !full_note(u, &f, &u->step[n],
				       exact ? pc | MT_PC_KEY_EXACT : pc))
				break;
			n++;
		}
		if (full_row(u, exact ? pc : pc - 1, &row)) {
			exact = row.signal_frame;
			on = mt_full_step(&f, &row);
		} else {
			exact = false;
			on = mt_full_guess(&f);
		}
	}
	return n;
}

/* How far what a frame's pc was read from is from its pc: 0, it is there. */
static inline uint64_t differs(const struct frame *f)
{
	return *(const uint64_t *)(uintptr_t)(f->sp - 8) ^ f->pc;
}

/* Whether the first `n` of the other checks hold. */
static inline bool checks_hold(const struct mt_unwinder *u, uint32_t n)
{
	for (const struct check *c = u->check + n; c-- != u->check;)
		if (unlikely(*c->slot != c->value))
			return false;
	return true;
}

/*
 * Whether all is as kept from frame `f` outward, once its sp is known to be.
 * Innermost first, so that nothing far outward is read when a stack has
 * changed much.
 */
static inline bool stands(const struct mt_unwinder *u, const struct frame *f)
{
	uint32_t checks = u->more[f - u->frame].checks;

	for (; f >= u->frame; f -= 4)
		if (unlikely(differs(f) | differs(f - 1) | differs(f - 2) |
			     differs(f - 3)))
			return false;
	return likely(!checks) || checks_hold(u, checks);
}

/*
 * How many kept frames are outward of the innermost step that has changed,
 * of those from `f` outward: nothing inside these can be met again. 0 when
 * none has changed but the stack was cut, as nothing is known of what is
 * beyond.
 */
static __attribute__((noinline)) uint32_t changed(const struct mt_unwinder *u,
						  const struct frame *f)
{
	uint32_t i = (uint32_t)(f - u->frame), n = u->more[i].checks;

	while (n && *u->check[n - 1].slot == u->check[n - 1].value)
		n--;
	for (; i; i--)
		if (u->more[i - 1].checks < n || differs(&u->frame[i - 1]))
			return i;
	return 0;
}

/*
 * Whether a walk at `s` has met the kept frame `f`. Where no CFA further out
 * depends on bp, its value is neither compared nor, in keep(), checked.
 */
static inline bool meets(const struct mt_unwinder *u, const struct frame *f,
			 const struct step *s)
{
	const struct more *more = &u->more[f - u->frame];

	return f->sp == s->sp && f->pc == s->pc &&
	       (!more->bp_live || more->bp == s->bp);
}

/* The kept frames up to the first that is not inside of `sp`: their end. */
static inline const struct frame *pop_to(const struct mt_unwinder *u,
					 const struct frame *f, uint64_t sp)
{
	while (f != u->frame && f[-1].sp < sp)
		f--;
	return f;
}

/* Walk from `at`, meeting the kept stack where it can. */
static inline __attribute__((always_inline)) struct walked walk(
	struct mt_unwinder *u, const struct mt_place *at, bool *loader)
{
	const struct frame *f = &u->frame[u->depth];
	struct step *s = &u->step[0];
	enum outcome outcome = STEP_ON;
	uint64_t rule;

	s->pc = at->pc;
	s->sp = at->sp;
	s->bp = at->bp;
	while (outcome == STEP_ON && s != &u->step[MT_MAX_FRAMES]) {
		f = pop_to(u, f, s->sp);
		if (f != u->frame && meets(u, f - 1, s)) {
			if (likely(stands(u, f - 1) && u->reach))
				return (struct walked){(uint32_t)(f - u->frame),
						       (uint32_t)(s - u->step),
						       false};
			f = &u->frame[changed(u, f - 1)];
		}
		s->near = near_get(u, s->pc);
		if (unlikely(!s->near)) {
			outcome = STEP_END;
			break;
		}
		rule = u->rule[s->near];
		if (unlikely(rule & RULE_LOADER) && s == u->step)
			*loader = true;
		outcome = step_out(&u->extents.now, s, rule, s + 1);
		s++;
	}
	if (unlikely(outcome == STEP_FULL)) {
		struct walked w = {0};

		w.n = walk_full(u, at, &w.more);
		return w;
	}
	return (struct walked){0, (uint32_t)(s - u->step), outcome == STEP_ON};
}

#define NODE_BITS 26 /* of a node's number */
#define KEY_BITS (NODE_BITS + 24)
#define TAG_BITS (KEY_BITS - NODE_CACHE_BITS)
_Static_assert(MT_MAX_NODES == 1 << NODE_BITS, "a cache entry's fields");
_Static_assert(MT_MAX_PCS == 1 << (KEY_BITS - NODE_BITS), "a cache entry's");
_Static_assert(TAG_BITS + NODE_BITS <= 64, "a cache entry's fields");

/* The node (parent, pc), by the table, or made. */
static __attribute__((noinline)) uint32_t node_look_up(struct mt_unwinder *u,
						       uint32_t parent,
						       uint32_t pc)
{
	uint32_t node = u->holding ? MT_NODE_LOST : mt_node_find(parent, pc);

	if (node == MT_NODE_LOST) {
		hold(u);
		node = mt_node_add(parent, pc);
	}
	return node;
}

/*
 * The node (parent, pc). The cache's entries are dense, as it is their cache
 * lines that cost: multiplying by an odd number scatters the keys and loses
 * none, so the bits that choose the entry need not be kept in it.
 */
static inline uint32_t node_get(struct mt_unwinder *u, uint32_t parent,
				uint32_t pc)
{
	uint64_t key = (uint64_t)parent << (KEY_BITS - NODE_BITS) | pc;
	uint64_t h = (key * 0x9e3779b97f4a7c15u) & ((1ull << KEY_BITS) - 1);
	uint64_t tag = h & ((1ull << TAG_BITS) - 1);
	uint64_t *entry = &u->node[h >> TAG_BITS];
	uint32_t node;

	if (likely(*entry >> NODE_BITS == tag && *entry))
		return *entry & ((1u << NODE_BITS) - 1);
	node = node_look_up(u, parent, pc);
	if (likely(node != MT_NODE_LOST))
		*entry = tag << NODE_BITS | node;
	return node;
}

/*
 * Note what was read to get from `s` to the next frame, but its pc; returns
 * the number of checks then.
 */
static __attribute__((noinline)) uint16_t keep_checks(struct mt_unwinder *u,
						      uint16_t n,
						      const struct step *s,
						      bool bp_live)
{
	const struct step *next = s + 1;
	struct check *c = &u->check[n];

	if (bp_live && s->bp_slot)
		*c++ = (struct check){(const uint64_t *)s->bp_slot, next->bp};
	if (s->reads == READS_DEREF)
		*c++ = (struct check){
			(const uint64_t *)(s->bp +
					   (uint64_t)mt_rule_offset(s->rule)),
			next->sp};
	if (s->reads == READS_ZERO)
		*c++ = (struct check){(const uint64_t *)(next->sp - 8), 0};
	return (uint16_t)(c - u->check);
}

static void lay_pads(struct mt_unwinder *u)
{
	for (int i = 0; i < PADS; i++)
		u->pad[i].sp = (uint64_t)(uintptr_t)(&u->zero + 1);
}

/* Keep the steps that were walked inside the kept frames that stand. */
static inline uint32_t keep(struct mt_unwinder *u, struct walked w)
{
	struct more outer = {.node = w.more ? MT_NODE_CUT : 0};
	struct frame *f = &u->frame[w.kept];
	struct more *more = &u->more[w.kept];
	const struct frame *opaque = NULL;

	if (likely(w.kept))
		outer = more[-1];
	else
		lay_pads(u);
	u->depth = u->reach = 0; /* should we not get to the end */
	for (const struct step *s = &u->step[w.n]; s-- != u->step;) {
		outer.node = node_get(u, outer.node,
				      (uint32_t)(s->rule >> RULE_PC_SHIFT));
		if (unlikely(outer.node == MT_NODE_LOST))
			return outer.node;
		if (unlikely(s->reads != READS_PLACE || outer.bp_live)) {
			if (s->reads == READS_OPAQUE && !opaque)
				opaque = f;
			outer.checks =
				keep_checks(u, outer.checks, s, outer.bp_live);
		}
		outer.bp_live =
			!(s->rule & 1) || (outer.bp_live && !s->bp_slot);
		outer.bp = s->bp;
		f->sp = s->sp;
		f->pc = s->pc;
		f++;
		*more++ = outer;
	}
	/* Inside of such a step none can stand; and what is outward of it may
	 * be a stack that is gone when one is met again. */
	u->depth = (uint32_t)((opaque ? opaque : f) - u->frame);
	u->reach = w.more ? 0 : u->depth;
	return outer.node;
}

/* by_walk(), which releases what it holds. */
static inline uint32_t walk_and_keep(struct mt_unwinder *u, struct path *path,
				     const struct mt_place *at, bool *cut,
				     bool *loader)
{
	struct walked w;
	uint32_t leaf;

	if (unlikely(u->nears > NEAR_RULES - 2 * MT_MAX_FRAMES - 2))
		forget_rules(u);
	for (;;) {
		w = walk(u, at, loader);
		if (likely(w.kept + w.n <= MT_MAX_FRAMES))
			break;
		/* The outermost are too many now: walk to where the cut is. */
		u->depth = 0;
	}
	if (unlikely(!w.kept && !w.n)) {
		u->depth = u->reach = 0;
		return MT_NODE_LOST;
	}
	*cut = w.more;
	leaf = keep(u, w);
	if (unlikely(*loader && u->depth)) {
		u->depth--; /* lest it is no longer new the next time */
		u->reach = u->reach ? u->depth : 0;
	}
	if (likely(leaf != MT_NODE_LOST))
		path_note(u, path, w, leaf);
	return leaf;
}

/* The stack at `at`, by a walk; it is kept, and how it went. */
static __attribute__((noinline)) uint32_t by_walk(struct mt_unwinder *u,
						  struct path *path,
						  const struct mt_place *at,
						  bool *cut, bool *loader)
{
	if (unlikely(!mt_extent_holds(&u->extents.now, at->sp)) &&
	    !mt_extents_enter(&u->extents, at->sp))
		return MT_NODE_LOST;
	u->last = walk_and_keep(u, path, at, cut, loader);
	release(u);
	return u->last;
}

/* The stack at `at`, by a path on which bp matters. */
static __attribute__((noinline)) uint32_t by_path_of_bp(
	struct mt_unwinder *u, struct path *path, const struct mt_place *at,
	bool *cut, bool *loader)
{
	if (unlikely(!bps_hold(path, &u->more[path->met - 1], at) ||
		     !stands(u, &u->frame[path->met - 1])))
		return by_walk(u, path, at, cut, loader);
	u->last = path->leaf;
	return path->leaf;
}

/* What is not likely is a call at the end: so no register need be saved. */
uint32_t mt_unwind(struct mt_unwinder *u, const struct mt_place *at, bool *cut,
		   bool *loader)
{
	struct path *path = path_of(u, at);
	const struct frame *f;

	foresee(u, path);
	f = by_path(u, path, at);
	if (unlikely(!f))
		return by_walk(u, path, at, cut, loader);
	if (path->bp || path->reads != path->pcs ||
	    u->more[f - u->frame].bp_live)
		return by_path_of_bp(u, path, at, cut, loader);
	if (unlikely(!stands(u, f)))
		return by_walk(u, path, at, cut, loader);
	u->last = path->leaf;
	return path->leaf;
}

uint64_t mt_unwind_outside(const struct mt_unwinder *u,
			   bool (*inside)(uint64_t pc))
{
	for (uint32_t i = u->depth; i-- > 0;)
		if (!inside(u->frame[i].pc & ~MT_PC_KEY_EXACT))
			return u->frame[i].sp;
	return 0;
}

void mt_unwind_forget(struct mt_unwinder *u)
{
	u->depth = u->reach = 0;
	u->extents = (struct mt_extents){{0, 0}, {0, 0}};
	memset(u->node, 0, sizeof(u->node));
	forget_rules(u);
}
