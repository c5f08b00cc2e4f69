package detect

import (
	"fmt"
	"time"

	"esrule/internal/event"
	"esrule/internal/query/match"
	"esrule/internal/query/rule"
)

// exception is one of a rule's exceptions, compiled over the fields of the rule's matchers.
type exception struct {
	*rule.Exception
	matcher *match.Matcher
}

// compileExceptions compiles the rule's exceptions, and adds what they read to fields.
func compileExceptions(r *rule.Rule, fields *event.Fields) (all []exception, err error) {
	for _, x := range r.Exceptions {
		if x.Query == nil {
			continue // it is named as not applied
		}
		m, err := match.Compile(x.Query, fields, match.Options{})
		if err != nil {
			return nil, fmt.Errorf("exception %s: %w", x, err)
		}
		all = append(all, exception{x, m})
	}
	return all, nil
}

// Excepted returns the exception that accepts the event; nil where none does. One that has expired
// by now does not apply.
func (c *Compiled) Excepted(e *match.Evaluation, now time.Time) *rule.Exception {
	for _, x := range c.exceptions {
		if !x.Expired(now) && x.matcher.Match(e) {
			return x.Exception
		}
	}
	return nil
}

// reading are all matchers that judge an event: the body's and those of the exceptions.
func (c *Compiled) reading() []*match.Matcher {
	all := c.Matchers[:len(c.Matchers):len(c.Matchers)]
	for _, x := range c.exceptions {
		all = append(all, x.matcher)
	}
	return all
}

// reading are all matchers that judge events for the group.
func (g *Group) reading() (all []*match.Matcher) {
	for i := range g.matchers.Compiled {
		all = append(all, g.matchers.Compiled[i].reading()...)
	}
	return all
}

// ExceptedBy is an exception that accepts an event, with what its condition found there.
type ExceptedBy struct {
	Name      string             `json:"name"`
	From      string             `json:"from"`
	Expires   time.Time          `json:"expires,omitzero"`
	Condition *match.Explanation `json:"condition"`
}

// explainExceptions returns all exceptions that accept an event, and what they found there.
func (c *Compiled) explainExceptions(e *match.Evaluation, now time.Time) (all []ExceptedBy) {
	for _, x := range c.exceptions {
		if !x.Expired(now) && x.matcher.Match(e) {
			all = append(all, ExceptedBy{x.Name, x.From, x.Expires, x.matcher.Explain(e)})
		}
	}
	return all
}
