package signal

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"

	"esrule/internal/query/rule"
)

// ID identifies one event under one rule: 64 hexadecimal digits. It is the signal's document
// id.
type ID string

// subjectFields tell apart the events that a source gives one event.id. The list is fixed for good:
// a field added or removed changes the id of every event that has it, and each is alerted a second
// time. It follows neither the rule, whose next version may read other fields, nor what an
// enrichment adds later.
var subjectFields = [...]string{
	"event.category", "event.type", "event.action", "event.code",
	"process.entity_id", "process.pid", "process.name", "process.command_line",
	"file.path", "dll.path", "registry.path", "registry.value",
	"source.ip", "source.port", "destination.ip", "destination.port", "destination.domain",
	"dns.question.name",
}

// unsteadyFields differ between two copies of one event: when and by what it was shipped, not what
// happened. They and everything below them are left out of the content's digest. Fixed for good, as
// subjectFields.
var unsteadyFields = [...]string{
	"event.ingested", "event.created", "agent.ephemeral_id", "agent.version",
	"ecs", "data_stream", "elastic_agent", "tags",
}

const timestampField = "@timestamp"

// Identify returns the identity of an event under a rule. Neither the index nor the document's id
// is part of it, so the same event reindexed, restored, sent again or scanned from a file keeps it.
// That of an alert (see [Event]) is made of its own id: two alerts of one event are two. That of
// another event is made of the first of these that it has:
//
//  1. event.id, the agent, the time, and the subject (one event.id may stand for several events);
//  2. a Windows record: computer, channel, record number, time;
//  3. its whole content.
func Identify(id rule.ID, of Event) (ID, error) {
	var i identity
	if alert := lineageOf(of).alert; alert != "" {
		i.readAlert(alert)
		return i.first(id), nil
	}
	n, err := parse(of.Source)
	if err != nil {
		return "", fmt.Errorf("read the event: %w", err)
	}
	i.read(n, 0)
	return i.first(id), nil
}

// identity is what an event is identified by under any rule.
type identity struct {
	subject digest // a rule's id goes before it
	wider   digest // of the second version; empty where there is none
	fields  fields
	paths   paths
	places  places
	leaves  []steadyLeaf
	order   leafOrder
	whole   []byte // what the last id is the hash of
}

// read makes it that of another event, in the same memory.
func (i *identity) read(event *node, belowMillisecond int) {
	i.readFields(event)
	i.subject.parts, i.wider.parts = i.subject.parts[:0], i.wider.parts[:0]
	i.subject.identify(&i.fields, i.leaves, &i.order)
	i.wider.widen(&i.fields, belowMillisecond)
}

// readFields reads what identities are made of, in one walk over the event.
func (i *identity) readFields(event *node) {
	i.fields.empty()
	i.leaves = i.leaves[:0]
	i.readLeaves(event, &i.places.root)
	i.fields[timeField] = instants(i.fields[timeField])
}

// readAlert makes it that of an alert, which has no second version.
func (i *identity) readAlert(id ID) {
	i.subject.parts, i.wider.parts = i.subject.parts[:0], i.wider.parts[:0]
	i.subject.values(uuidField, values{string(id)})
}

// first returns the first version of the identity under a rule.
func (i *identity) first(of rule.ID) ID {
	d := digest{i.whole[:0]}
	d.text(string(of))
	i.whole = append(d.parts, i.subject.parts...)
	return (&digest{i.whole}).id()
}

func (d *digest) identify(f *fields, leaves []steadyLeaf, order *leafOrder) {
	switch {
	case f.has(eventID):
		d.values("event.id", f[eventID])
		// One label for both: an agent that is known by its host is still one agent.
		agent := agentID
		if !f.has(agent) {
			agent = hostID
		}
		d.values("agent.id", f[agent])
		d.values(timestampField, f[timeField])
		for n, name := range subjectFields {
			d.values(name, f[firstSubject+n])
		}
	case f.isWindowsRecord():
		for _, n := range []int{computerName, channel, recordID, timeField} {
			d.values(fieldNames[n], f[n])
		}
	default:
		d.values(timestampField, f[timeField])
		d.content(leaves, order)
	}
}

// instants replaces dates by their milliseconds, so that one instant has one text. What is no date
// stays as it is.
func instants(dates values) values {
	for i, date := range dates {
		if t, ok := instant(date); ok {
			dates[i] = strconv.FormatInt(t.UnixMilli(), 10)
		}
	}
	return dates
}

// values are the texts of a field. They count as a set: neither order nor repetition matters.
type values []string

// digest is a text of length-delimited parts, so that no two lists of parts give the same bytes.
type digest struct{ parts []byte }

func (d *digest) text(s string) {
	d.length(len(s))
	d.parts = append(d.parts, s...)
}

func (d *digest) values(name string, v values) {
	d.text(name)
	if len(v) > 1 {
		slices.Sort(v)
		v = slices.Compact(v)
	}
	d.length(len(v))
	for _, s := range v {
		d.text(s)
	}
}

// value is values of one value.
func (d *digest) value(name []byte, v string) {
	b := binary.BigEndian.AppendUint64(d.parts, uint64(len(name)))
	b = binary.BigEndian.AppendUint64(append(b, name...), 1)
	b = binary.BigEndian.AppendUint64(b, uint64(len(v)))
	d.parts = append(b, v...)
}

func (d *digest) length(n int) {
	d.parts = binary.BigEndian.AppendUint64(d.parts, uint64(n))
}

// id is the hash of the parts.
func (d *digest) id() ID {
	sum := sha256.Sum256(d.parts)
	var digits [2 * sha256.Size]byte
	hex.Encode(digits[:], sum[:])
	return ID(digits[:])
}

// content writes every steady leaf, filed under its path's hash.
func (d *digest) content(leaves []steadyLeaf, order *leafOrder) {
	var texts values
	sorted := order.of(leaves)
	for i, at := range sorted {
		one := &leaves[at]
		isLast := i+1 == len(sorted) || leaves[sorted[i+1]].path.hash != one.path.hash
		if isLast && len(texts) == 0 {
			d.value(one.path.hash[:], one.text)
			continue
		}
		texts = append(texts, one.text)
		if isLast {
			d.values(string(one.path.hash[:]), texts)
			texts = texts[:0]
		}
	}
}

func unsteady(path []byte) bool {
	return slices.ContainsFunc(unsteadyFields[:], func(name string) bool {
		rest, ok := bytes.CutPrefix(path, []byte(name))
		return ok && (len(rest) == 0 || rest[0] == '.')
	})
}
