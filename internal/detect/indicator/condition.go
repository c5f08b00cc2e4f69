package indicator

import (
	"esrule/internal/event"
	"esrule/internal/query/cond"
)

// Condition returns what is true of every event of a mapping that matches an indicator of the set,
// for the index of the events to look up: that it has one of the values. Where the set has too many
// for that, or is nil, it is that the event has the fields.
func (p *Plan) Condition(s *Set, m *event.Mapping) cond.Expr {
	groups := make([]cond.Expr, len(p.groups))
	for i, group := range p.groups {
		pairs := make([]cond.Expr, len(group))
		for j, one := range group {
			field := &cond.Field{Path: one.Field}
			switch {
			case s != nil && s.texts != nil:
				pairs[j] = &cond.In{Subject: field,
					List: constants(m.Fields[one.Field], s.texts[one.Indicator])}
			case m.Fields[one.Field].Type == event.Text: // one of no words is not in its index
				pairs[j] = &cond.Literal{Kind: cond.Bool, Bool: true}
			default:
				pairs[j] = &cond.Exists{Field: field}
			}
		}
		groups[i] = &cond.And{Operands: pairs}
	}
	return &cond.Or{Operands: groups}
}

// constants are the texts that values of a field's type may equal.
func constants(f event.FieldMapping, texts []string) (list []cond.Expr) {
	for _, text := range texts {
		l := &cond.Literal{Kind: cond.String, Text: text}
		switch f.Type {
		case event.IP:
			_, isAddress := event.ParseAddress([]byte(text))
			_, isBlock := blockOf([]byte(text))
			if !isAddress && !isBlock {
				continue
			}
		case event.Boolean:
			if text != "true" && text != "false" {
				continue
			}
		case event.Integer, event.Unsigned, event.Float:
			number, ok := event.Decimal([]byte(text))
			if !ok {
				continue
			}
			l = numberOf(&number)
		case event.Unmapped, event.Keyword, event.Text, event.Version, event.Date,
			event.DateNanos, event.Object, event.Other, event.Untyped:
		}
		list = append(list, l)
	}
	return list
}

func numberOf(v *event.Value) *cond.Literal {
	switch v.Kind {
	case event.KindInteger:
		return &cond.Literal{Kind: cond.Int, Int: v.Integer, Text: string(v.Text)}
	case event.KindUnsigned:
		return &cond.Literal{Kind: cond.Uint, Uint: v.Unsigned(), Float: float64(v.Unsigned()),
			Text: string(v.Text)}
	}
	return &cond.Literal{Kind: cond.Float, Float: v.Float, Text: string(v.Text)}
}
