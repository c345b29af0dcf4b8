/* SPDX-License-Identifier: MIT */
/*
 * Paths: how stacks were walked before. Most walks are one that was made
 * before. So per innermost frame and stack before (those two foretell 96 to 100
 * of 100 stacks) a path remembers what a walk read and found there, which kept
 * frame it met, and the stack it was. A walk is a pure function of its start
 * and of what it reads: when by_path() finds the same pcs in the same slots
 * (counted from sp), and the same bp where a CFA was computed from it, the walk
 * would go as it did. It need not be made, and no node is looked up: the steps'
 * pcs and the met frame's node are those of then, so the stack is. Nothing is
 * kept of such a walk; what is kept stays true of its own place and slots, and
 * a path may meet any frame of it. Paths name pcs by the numbers of their rules
 * in this thread, which are given once until all are forgotten together.
 */
#ifndef PRELOAD_PATH_H
#define PRELOAD_PATH_H

#include "unwinder.h"

/* The path that may lead outward from `at`. */
static inline struct path *path_of(struct mt_unwinder *u,
				   const struct mt_place *at)
{
	uint64_t v = (at->pc << 20) ^ at->sp ^ ((uint64_t)u->last << 36);

	return &u->path[(v * 0x9e3779b97f4a7c15u) >> 40 & (PATHS - 1)];
}

/*
 * Fetch the path that is likely the next one's: there are too many for a
 * cache that the program uses, too, and the wait was a sixth of all recording
 * costs.
 */
static inline void foresee(struct mt_unwinder *u, const struct path *path)
{
	uint16_t n = (uint16_t)(path - u->path);

	if (u->path[u->taken].next != n)
		u->path[u->taken].next = n;
	u->taken = n;
	__builtin_prefetch(&u->path[path->next]);
}

/* Whether bp is as it was on a path, where it matters. */
static inline bool bps_hold(const struct path *path, const struct more *more,
			    const struct mt_place *at)
{
	const uint64_t *base = (const uint64_t *)(uintptr_t)(at->sp - 8);
	uint64_t bp = at->bp;

	if (path->bp && bp - at->sp != 8ull * path->bp - 8)
		return false;
	for (unsigned int i = path->pcs; i < path->reads; i++)
		if (base[path->read[i].at] - at->sp !=
		    8ull * path->read[i].what - 8)
			return false;
	if (path->bp_at)
		bp = base[path->bp_at];
	return !more->bp_live || more->bp == bp;
}

/* The frame that a path from `at` would meet; NULL: it leads elsewhere. */
static inline const struct frame *by_path(const struct mt_unwinder *u,
					  const struct path *path,
					  const struct mt_place *at)
{
	const struct frame *f = &u->frame[path->met - 1];
	const uint64_t *base = (const uint64_t *)(uintptr_t)(at->sp - 8);
	const struct path_read *read = path->read, *end = read + path->pcs;

	if (unlikely(path->met - 1u >= u->reach ||
		     f->sp - at->sp != 8ull * path->words ||
		     at->sp < u->extents.now.start ||
		     f->sp > u->extents.now.end ||
		     u->pc[path->near] != at->pc ||
		     u->more[path->met - 1].node != path->parent))
		return NULL;
	for (; read != end; read++)
		if (unlikely(base[read->at] != u->pc[read->what]))
			return NULL;
	return f;
}

/* Add a read to a path; false: it has no room, or the numbers are too big. */
static inline bool path_add(struct path *path, uint64_t at, uint64_t what)
{
	if (unlikely(path->reads == PATH_READS || at > path->words ||
		     what > UINT16_MAX))
		return false;
	path->read[path->reads++] =
		(struct path_read){(uint16_t)at, (uint16_t)what};
	return true;
}

/* A bp in words from sp, plus 1; more than a path can hold when it cannot. */
static inline uint64_t bp_words(uint64_t bp, uint64_t sp)
{
	return bp >= sp && bp % 8 == 0 ? (bp - sp) / 8 + 1 : UINT64_MAX;
}

/*
 * Note in a path the bps that its steps computed a CFA from, and where the one
 * of the frame that it met came from; false: they do not fit.
 */
static inline bool path_note_bps(const struct mt_unwinder *u, struct path *path,
				 uint32_t n)
{
	const struct step *s = u->step;
	uint64_t sp = s->sp, words, bp_at = 0;

	for (uint32_t i = 0; i < n; i++) {
		words = bp_words(s[i].bp, sp);
		if (!(s[i].rule & 1) && bp_at && !path_add(path, bp_at, words))
			return false;
		if (!(s[i].rule & 1) && !bp_at) {
			if (words > UINT16_MAX)
				return false;
			path->bp = (uint16_t)words;
		}
		if (s[i].bp_slot)
			bp_at = (s[i].bp_slot - sp) / 8 + 1;
	}
	path->bp_at = (uint16_t)bp_at;
	return bp_at <= path->words;
}

/*
 * Remember how a stack was walked. Not from the loader's own frames: their
 * being new is to be told each time.
 */
static inline void path_note(struct mt_unwinder *u, struct path *path,
			     struct walked w, uint32_t leaf)
{
	const struct step *s = u->step;
	uint64_t sp = s->sp, words;

	path->met = 0;
	if (unlikely(!w.kept || sp % 8 || (w.n && s->rule & RULE_LOADER)))
		return;
	words = (u->frame[w.kept - 1].sp - sp) / 8;
	if (words > UINT16_MAX)
		return;
	*path = (struct path){
		.next = path->next,
		.leaf = leaf,
		.parent = u->more[w.kept - 1].node,
		.words = (uint16_t)words,
		.near = w.n ? s->near : near_get(u, s->pc),
	};
	for (uint32_t i = 0; i < w.n; i++) {
		if (unlikely((s[i].rule & 7) > RULE_BP ||
			     s[i].reads != READS_PLACE))
			return;
		if (i && !path_add(path, (s[i].sp - sp) / 8, s[i].near))
			return;
	}
	path->pcs = path->reads;
	if (path_note_bps(u, path, w.n))
		path->met = (uint16_t)w.kept;
}

#endif
