package match

import (
	"fmt"
	"net/netip"

	"esrule/internal/event"
	"esrule/internal/query/cond"
)

// cidrMatch tells whether an address is in one of the blocks.
func (l *leaf) cidrMatch(x *cond.Call) evaluator {
	address := l.value(x.Args[0])
	var networks []network
	for _, argument := range x.Args[1:] {
		v, _ := l.constantOf(argument)
		n, ok := parseNetwork(v.Text)
		switch {
		case v.Kind == event.KindNull:
		case ok:
			networks = append(networks, n)
		case !l.folding:
			l.refuse(argument, fmt.Sprintf("%q is not an address or a block of addresses", v.Text),
				`Write a block as "10.0.0.0/8" or "fd00::/8", an address as "10.0.0.1".`)
		}
	}
	return func(e *Evaluation) event.Value {
		v := address(e)
		a, ok := addressOf(&v)
		if !ok {
			return event.Value{}
		}
		for _, n := range networks {
			if n.contains(a) {
				return boolean(true)
			}
		}
		return boolean(false)
	}
}

// addressOf reads a value as an address; a text that is none is null.
func addressOf(v *event.Value) (netip.Addr, bool) {
	switch v.Kind {
	case event.KindAddress:
		return v.Address, true
	case event.KindText, event.KindUntyped:
		return event.ParseAddress(v.Text)
	}
	return netip.Addr{}, false
}
