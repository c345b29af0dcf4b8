/* SPDX-License-Identifier: MIT */
/* Call frame information; see cfi.h. */
#include "cfi.h"

#include <dwarf.h>
#include <string.h>

#include <memtrace/varint.h>

/* A place in a table, and whether every read so far was inside it. */
struct cursor {
	const uint8_t *p, *end;
	bool ok;
};

/* A common information entry: what its frame entries share. */
struct cie {
	uint64_t code_align;
	int64_t data_align;
	uint8_t pointer_encoding;
	bool augmented;
	bool signal_frame;
	const uint8_t *program, *end;
};

struct fde {
	struct cie cie;
	uint64_t start, bytes; /* the code it speaks of */
	const uint8_t *program, *end;
};

static uint64_t get(struct cursor *c, unsigned int bytes)
{
	uint64_t v = 0;

	if (!c->ok || (size_t)(c->end - c->p) < bytes) {
		c->ok = false;
		return 0;
	}
	memcpy(&v, c->p, bytes);
	c->p += bytes;
	return v;
}

static int64_t get_signed(struct cursor *c, unsigned int bytes)
{
	unsigned int shift = 64 - 8 * bytes;

	return (int64_t)(get(c, bytes) << shift) >> shift;
}

static uint64_t get_uleb(struct cursor *c)
{
	uint64_t v = 0;

	if (c->ok && !mt_varint_get(&c->p, c->end, &v))
		c->ok = false;
	return v;
}

static int64_t get_sleb(struct cursor *c)
{
	uint64_t v = 0;
	unsigned int shift = 0;
	uint8_t byte;

	do {
		byte = (uint8_t)get(c, 1);
		if (shift < 64)
			v |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	if (shift < 64 && (byte & 0x40))
		v |= ~0ull << shift;
	return (int64_t)v;
}

/* Read a DW_EH_PE pointer; `data` is what datarel is relative to. */
static uint64_t get_pointer(struct cursor *c, uint8_t encoding, uint64_t data)
{
	uint64_t at = (uint64_t)(uintptr_t)c->p, v;

	if (encoding == DW_EH_PE_omit)
		return 0;
	switch (encoding & 0x0f) {
	case DW_EH_PE_absptr:
	case DW_EH_PE_udata8:
	case DW_EH_PE_sdata8:
		v = get(c, 8);
		break;
	case DW_EH_PE_udata2:
		v = get(c, 2);
		break;
	case DW_EH_PE_udata4:
		v = get(c, 4);
		break;
	case DW_EH_PE_sdata2:
		v = (uint64_t)get_signed(c, 2);
		break;
	case DW_EH_PE_sdata4:
		v = (uint64_t)get_signed(c, 4);
		break;
	case DW_EH_PE_uleb128:
		v = get_uleb(c);
		break;
	case DW_EH_PE_sleb128:
		v = (uint64_t)get_sleb(c);
		break;
	default:
		c->ok = false;
		return 0;
	}
	if (v && (encoding & 0x70) == DW_EH_PE_pcrel)
		v += at;
	else if (v && (encoding & 0x70) == DW_EH_PE_datarel)
		v += data;
	return v; /* DW_EH_PE_indirect: personalities only, not followed */
}

/* Open the entry at `p`: its id field next, its end in the cursor. */
static struct cursor open_entry(const struct mt_cfi_table *t, const uint8_t *p)
{
	struct cursor c = {p, t->end, p >= t->start && p < t->end};
	uint64_t bytes = get(&c, 4);

	if (bytes == 0xffffffff)
		bytes = get(&c, 8);
	if (!c.ok || !bytes || bytes > (uint64_t)(c.end - c.p))
		c.ok = false;
	else
		c.end = c.p + bytes;
	return c;
}

static bool parse_cie(const struct mt_cfi_table *t, const uint8_t *p,
		      struct cie *cie)
{
	struct cursor c = open_entry(t, p);
	const char *augmentation;
	uint8_t version;

	*cie = (struct cie){.pointer_encoding = DW_EH_PE_absptr};
	if (get(&c, 4) != 0)
		return false;
	version = (uint8_t)get(&c, 1);
	augmentation = (const char *)c.p;
	while (c.ok && get(&c, 1))
		;
	if (!c.ok || (version != 1 && version != 3))
		return false;
	cie->code_align = get_uleb(&c);
	cie->data_align = get_sleb(&c);
	if ((version == 1 ? get(&c, 1) : get_uleb(&c)) != MT_REG_PC)
		return false;
	if (*augmentation == 'z') {
		cie->augmented = true;
		uint64_t bytes = get_uleb(&c);

		cie->program = c.p + bytes;
		if (bytes > (uint64_t)(c.end - c.p))
			return false;
	}
	for (; c.ok && *augmentation; augmentation++) {
		if (*augmentation == 'R')
			cie->pointer_encoding = (uint8_t)get(&c, 1);
		else if (*augmentation == 'P')
			get_pointer(&c, (uint8_t)get(&c, 1), 0);
		else if (*augmentation == 'L')
			get(&c, 1);
		else if (*augmentation == 'S')
			cie->signal_frame = true;
		else if (*augmentation != 'z' && *augmentation != 'B')
			break; /* the rest has a length: skip it */
	}
	if (!cie->augmented)
		cie->program = c.p;
	cie->end = c.end;
	return c.ok;
}

static bool parse_fde(const struct mt_cfi_table *t, const uint8_t *p,
		      struct fde *fde)
{
	struct cursor c = open_entry(t, p);
	const uint8_t *at = c.p;
	uint64_t back = get(&c, 4);

	if (!c.ok || !back || back > (uint64_t)(at - t->start) ||
	    !parse_cie(t, at - back, &fde->cie))
		return false;
	fde->start = get_pointer(&c, fde->cie.pointer_encoding, 0);
	fde->bytes = get_pointer(&c, fde->cie.pointer_encoding & 0x0f, 0);
	if (fde->cie.augmented) {
		uint64_t bytes = get_uleb(&c);

		if (!c.ok || bytes > (uint64_t)(c.end - c.p))
			return false;
		c.p += bytes;
	}
	fde->program = c.p;
	fde->end = c.end;
	return c.ok;
}

/* Find the frame entry for `pc` by the header's sorted table. */
static bool find_fde(const struct mt_cfi_table *t, uint64_t pc, struct fde *fde)
{
	uint64_t header = (uint64_t)(uintptr_t)t->header;
	struct cursor c = {t->header, t->header + t->header_bytes, true};
	uint8_t encoding[3];
	uint64_t count, low = 0;

	if (!t->header || get(&c, 1) != 1)
		return false;
	for (int i = 0; i < 3; i++)
		encoding[i] = (uint8_t)get(&c, 1);
	get_pointer(&c, encoding[0], header);
	count = get_pointer(&c, encoding[1], header);
	if (!c.ok || encoding[2] != (DW_EH_PE_datarel | DW_EH_PE_sdata4) ||
	    count > (uint64_t)(c.end - c.p) / 8)
		return false;

	const uint8_t *entries = c.p;
	int32_t pair[2] = {0, 0};

	for (uint64_t high = count; low < high;) {
		uint64_t middle = low + (high - low) / 2;

		memcpy(pair, entries + middle * 8, 4);
		if (header + (uint64_t)(int64_t)pair[0] <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return false;
	memcpy(pair, entries + (low - 1) * 8, 8);
	return parse_fde(t, t->header + pair[1], fde) &&
	       pc - fde->start < fde->bytes;
}

/* The state of one run of a frame entry's program. */
struct run {
	struct cursor c;
	const struct cie *cie;
	uint64_t location, pc;
	struct mt_cfi_row *row;
	const struct mt_cfi_row *initial; /* after the CIE's program, or NULL */
	struct mt_cfi_row saved[4];
	unsigned int depth;
};

static struct mt_cfi_rule *rule_of(struct run *r, uint64_t reg)
{
	static struct mt_cfi_rule ignored; /* vector registers and such */

	return reg < MT_REGS ? &r->row->rule[reg] : &ignored;
}

static void set_rule(struct run *r, uint64_t reg, enum mt_cfi_how how,
		     int64_t offset)
{
	if (reg < MT_REGS)
		*rule_of(r, reg) = (struct mt_cfi_rule){.how = (uint8_t)how,
							.offset = offset};
}

/* Read the bytes of an expression. */
static void get_block(struct cursor *c, const uint8_t **code,
		      const uint8_t **end)
{
	uint64_t bytes = get_uleb(c);

	if (!c->ok || bytes > (uint64_t)(c->end - c->p)) {
		c->ok = false;
		return;
	}
	*code = c->p;
	*end = c->p += bytes;
}

static void set_expression(struct run *r, enum mt_cfi_how how)
{
	uint64_t reg = get_uleb(&r->c);
	struct mt_cfi_rule rule = {.how = (uint8_t)how};

	get_block(&r->c, &rule.code, &rule.end);
	if (reg < MT_REGS)
		r->row->rule[reg] = rule;
}

static void restore(struct run *r, uint64_t reg)
{
	if (!r->initial)
		r->c.ok = false;
	else if (reg < MT_REGS)
		r->row->rule[reg] = r->initial->rule[reg];
}

/* DW_CFA_remember_state and DW_CFA_restore_state: the CFA belongs to it. */
static void remember(struct run *r, bool again)
{
	if (again && r->depth)
		*r->row = r->saved[--r->depth];
	else if (!again && r->depth < sizeof(r->saved) / sizeof(r->saved[0]))
		r->saved[r->depth++] = *r->row;
	else
		r->c.ok = false;
}

/* Instructions that define the CFA; false: `op` is another. */
static bool step_cfa(struct run *r, uint8_t op)
{
	struct mt_cfi_row *row = r->row;
	int64_t align = r->cie->data_align;

	switch (op) {
	case DW_CFA_def_cfa:
	case DW_CFA_def_cfa_sf:
		row->cfa_register = (uint8_t)get_uleb(&r->c);
		row->cfa_offset = op == DW_CFA_def_cfa
					  ? (int64_t)get_uleb(&r->c)
					  : get_sleb(&r->c) * align;
		row->cfa_code = NULL;
		break;
	case DW_CFA_def_cfa_register:
		row->cfa_register = (uint8_t)get_uleb(&r->c);
		row->cfa_code = NULL;
		break;
	case DW_CFA_def_cfa_offset:
		row->cfa_offset = (int64_t)get_uleb(&r->c);
		break;
	case DW_CFA_def_cfa_offset_sf:
		row->cfa_offset = get_sleb(&r->c) * align;
		break;
	case DW_CFA_def_cfa_expression:
		get_block(&r->c, &row->cfa_code, &row->cfa_end);
		break;
	default:
		return false;
	}
	return true;
}

/* Instructions that say where a register is; false: `op` is another. */
static bool step_register(struct run *r, uint8_t op)
{
	int64_t align = r->cie->data_align;
	uint64_t reg;

	switch (op) {
	case DW_CFA_expression:
		set_expression(r, MT_CFI_EXPRESSION);
		return true;
	case DW_CFA_val_expression:
		set_expression(r, MT_CFI_VALUE_EXPRESSION);
		return true;
	case DW_CFA_offset_extended:
	case DW_CFA_restore_extended:
	case DW_CFA_undefined:
	case DW_CFA_same_value:
	case DW_CFA_register:
	case DW_CFA_offset_extended_sf:
	case DW_CFA_val_offset:
	case DW_CFA_val_offset_sf:
		break;
	default:
		return false;
	}
	reg = get_uleb(&r->c);
	if (op == DW_CFA_offset_extended)
		set_rule(r, reg, MT_CFI_OFFSET,
			 (int64_t)get_uleb(&r->c) * align);
	else if (op == DW_CFA_offset_extended_sf)
		set_rule(r, reg, MT_CFI_OFFSET, get_sleb(&r->c) * align);
	else if (op == DW_CFA_val_offset)
		set_rule(r, reg, MT_CFI_VALUE,
			 (int64_t)get_uleb(&r->c) * align);
	else if (op == DW_CFA_val_offset_sf)
		set_rule(r, reg, MT_CFI_VALUE, get_sleb(&r->c) * align);
	else if (op == DW_CFA_register)
		set_rule(r, reg, MT_CFI_REGISTER, (int64_t)get_uleb(&r->c));
	else if (op == DW_CFA_restore_extended)
		restore(r, reg);
	else
		set_rule(r, reg,
			 op == DW_CFA_undefined ? MT_CFI_UNDEFINED
						: MT_CFI_SAME,
			 0);
	return true;
}

/* Instructions that move on through the code; false: `op` is another. */
static bool step_location(struct run *r, uint8_t op)
{
	uint64_t by;

	switch (op) {
	case DW_CFA_set_loc:
		r->location = get_pointer(&r->c, r->cie->pointer_encoding, 0);
		return true;
	case DW_CFA_advance_loc1:
		by = get(&r->c, 1);
		break;
	case DW_CFA_advance_loc2:
		by = get(&r->c, 2);
		break;
	case DW_CFA_advance_loc4:
		by = get(&r->c, 4);
		break;
	default:
		return false;
	}
	r->location += by * r->cie->code_align;
	return true;
}

/* Run a program until it passes the pc; false: not understood. */
static bool run_program(struct run *r, const uint8_t *p, const uint8_t *end)
{
	r->c = (struct cursor){p, end, p <= end};
	while (r->c.ok && r->c.p < end && r->location <= r->pc) {
		uint8_t op = (uint8_t)get(&r->c, 1), low = op & 0x3f;

		switch (op & 0xc0) {
		case DW_CFA_advance_loc:
			r->location += low * r->cie->code_align;
			continue;
		case DW_CFA_offset:
			set_rule(r, low, MT_CFI_OFFSET,
				 (int64_t)get_uleb(&r->c) * r->cie->data_align);
			continue;
		case DW_CFA_restore:
			restore(r, low);
			continue;
		}
		if (step_location(r, op) || step_cfa(r, op) ||
		    step_register(r, op))
			continue;
		if (op == DW_CFA_remember_state)
			remember(r, false);
		else if (op == DW_CFA_restore_state)
			remember(r, true);
		else if (op == DW_CFA_GNU_args_size)
			get_uleb(&r->c);
		else if (op != DW_CFA_nop)
			return false;
	}
	return r->c.ok;
}

bool mt_cfi_row(const struct mt_cfi_table *table, uint64_t pc,
		struct mt_cfi_row *row)
{
	struct fde fde;
	struct mt_cfi_row initial;
	struct run r = {.cie = &fde.cie, .pc = pc, .row = row};

	memset(row, 0, sizeof(*row));
	if (!find_fde(table, pc, &fde))
		return false;
	row->signal_frame = fde.cie.signal_frame;
	r.location = fde.start;
	if (!run_program(&r, fde.cie.program, fde.cie.end))
		return false;
	initial = *row;
	r.initial = &initial;
	return run_program(&r, fde.program, fde.end);
}

/* The stack machine of expressions. */
struct machine {
	struct cursor c;
	const uint8_t *start;
	uint64_t stack[32];
	unsigned int depth;
};

static void push(struct machine *m, uint64_t v)
{
	if (m->depth < 32)
		m->stack[m->depth++] = v;
	else
		m->c.ok = false;
}

static uint64_t pop(struct machine *m)
{
	if (m->depth)
		return m->stack[--m->depth];
	m->c.ok = false;
	return 0;
}

/* Operations that push a constant or a register; false: `op` is another. */
static bool evaluate_push(struct machine *m, uint8_t op,
			  const uint64_t reg[MT_REGS])
{
	if (op >= DW_OP_lit0 && op <= DW_OP_lit31) {
		push(m, op - DW_OP_lit0);
		return true;
	}
	if (op >= DW_OP_breg0 && op < DW_OP_breg0 + MT_REGS) {
		push(m, reg[op - DW_OP_breg0] + (uint64_t)get_sleb(&m->c));
		return true;
	}
	switch (op) {
	case DW_OP_addr:
	case DW_OP_const8u:
	case DW_OP_const8s:
		push(m, get(&m->c, 8));
		return true;
	case DW_OP_const1u:
		push(m, get(&m->c, 1));
		return true;
	case DW_OP_const1s:
		push(m, (uint64_t)get_signed(&m->c, 1));
		return true;
	case DW_OP_const2u:
		push(m, get(&m->c, 2));
		return true;
	case DW_OP_const2s:
		push(m, (uint64_t)get_signed(&m->c, 2));
		return true;
	case DW_OP_const4u:
		push(m, get(&m->c, 4));
		return true;
	case DW_OP_const4s:
		push(m, (uint64_t)get_signed(&m->c, 4));
		return true;
	case DW_OP_constu:
		push(m, get_uleb(&m->c));
		return true;
	case DW_OP_consts:
		push(m, (uint64_t)get_sleb(&m->c));
		return true;
	case DW_OP_dup:
		push(m, m->depth ? m->stack[m->depth - 1] : pop(m));
		return true;
	case DW_OP_over:
		push(m, m->depth > 1 ? m->stack[m->depth - 2] : pop(m));
		return true;
	}
	return false;
}

/* Operations on the two topmost values; false: `op` is another. */
static bool evaluate_binary(struct machine *m, uint8_t op)
{
	if (!memchr("\x1a\x1c\x1e\x21\x22\x24\x25\x26\x27\x29\x2a\x2b\x2c\x2d"
		    "\x2e",
		    op, 15))
		return false;
	uint64_t b = pop(m), a = pop(m);
	int64_t sa = (int64_t)a, sb = (int64_t)b;

	switch (op) {
	case DW_OP_and:
		push(m, a & b);
		break;
	case DW_OP_or:
		push(m, a | b);
		break;
	case DW_OP_xor:
		push(m, a ^ b);
		break;
	case DW_OP_plus:
		push(m, a + b);
		break;
	case DW_OP_minus:
		push(m, a - b);
		break;
	case DW_OP_mul:
		push(m, a * b);
		break;
	case DW_OP_shl:
		push(m, b < 64 ? a << b : 0);
		break;
	case DW_OP_shr:
		push(m, b < 64 ? a >> b : 0);
		break;
	case DW_OP_shra:
		push(m, (uint64_t)(sa >> (b < 64 ? b : 63)));
		break;
	case DW_OP_eq:
		push(m, a == b);
		break;
	case DW_OP_ne:
		push(m, a != b);
		break;
	case DW_OP_ge:
		push(m, sa >= sb);
		break;
	case DW_OP_gt:
		push(m, sa > sb);
		break;
	case DW_OP_le:
		push(m, sa <= sb);
		break;
	case DW_OP_lt:
		push(m, sa < sb);
		break;
	}
	return true;
}

/* DW_OP_skip and DW_OP_bra: forward only, so every run ends. */
static void branch(struct machine *m, bool taken)
{
	int64_t by = get_signed(&m->c, 2);

	if (!taken)
		return;
	if (by < 0 || by > m->c.end - m->c.p)
		m->c.ok = false;
	else
		m->c.p += by;
}

bool mt_cfi_evaluate(const uint8_t *code, const uint8_t *end,
		     const uint64_t reg[MT_REGS], const uint64_t *first,
		     mt_cfi_read *read, void *context, uint64_t *value)
{
	struct machine m = {.c = {code, end, true}};
	uint64_t v;

	if (first)
		push(&m, *first);
	while (m.c.ok && m.c.p < end) {
		uint8_t op = (uint8_t)get(&m.c, 1);

		if (evaluate_push(&m, op, reg) || evaluate_binary(&m, op))
			continue;
		switch (op) {
		case DW_OP_deref:
			if (!read(context, pop(&m), &v))
				return false;
			push(&m, v);
			break;
		case DW_OP_plus_uconst:
			push(&m, pop(&m) + get_uleb(&m.c));
			break;
		case DW_OP_neg:
			push(&m, 0 - pop(&m));
			break;
		case DW_OP_not:
			push(&m, ~pop(&m));
			break;
		case DW_OP_drop:
			pop(&m);
			break;
		case DW_OP_skip:
			branch(&m, true);
			break;
		case DW_OP_bra:
			branch(&m, pop(&m) != 0);
			break;
		case DW_OP_nop:
			break;
		default:
			return false;
		}
	}
	*value = pop(&m);
	return m.c.ok;
}
