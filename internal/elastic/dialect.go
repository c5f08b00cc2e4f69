package elastic

import "sync/atomic"

// Capability is something that not every supported server can do.
type Capability int

// The capabilities; Differences describes them.
const (
	PartialPointInTime Capability = iota
	ReadResolvesIndices
	ResolvesClusters
	ClusterDetails
	capabilities int = iota
)

// Difference describes a capability.
type Difference struct {
	Capability    Capability
	Name          string
	Elasticsearch release // since when all have it; another product gets a column of its own
	Without       string  // what is done without it
	Why           string
}

// Differences is the one table of what servers differ in. What all supported servers understand is
// asked of all in one way, and has no row.
func Differences() [capabilities]Difference {
	return [...]Difference{
		{PartialPointInTime, "a point in time over the shards that are there", release{8, 16},
			"the indices that a refusal names are left out, and a search counts the shards",
			"one missing shard refused all indices, and no answer counted the shards"},
		{ReadResolvesIndices, "`_resolve/index` by the privilege `read`", release{8, 3},
			"`_field_caps` names the index",
			"it took `view_index_metadata`, and each refusal is a line in the audit log"},
		{ResolvesClusters, "`_resolve/cluster`", release{8, 13},
			"who lacks `monitor` names remote clusters without a `*`",
			"it is asked after a refusal, by somebody who may not ask for the version either"},
		{ClusterDetails, "`_clusters.details`", release{8, 10},
			"a remote cluster that was skipped is named without the reason",
			"the answer only counted those, and says by itself whether there are details"},
	}
}

// Dialect is what one cluster can do, as far as it is known: at first what the version says that
// was found at connect, then what the cluster refused. A refusal overrules, since in a rolling
// upgrade another node answers; so where Can is asked, what is done without it is right on every
// server. What is not known is tried: a zero and a nil Dialect know nothing. It is safe for
// concurrent use.
type Dialect struct{ lacks [capabilities]atomic.Bool }

// Can reports whether the cluster is to be asked for it.
func (d *Dialect) Can(c Capability) bool { return d == nil || !d.lacks[c].Load() }

// Refused notes that the cluster does not know it. Each further refusal would cost a request.
func (d *Dialect) Refused(c Capability) { d.lacks[c].Store(true) }

// connected takes the first values from the version, as far as that says them.
func (d *Dialect) connected(s Server) {
	for _, one := range Differences() {
		if reached, known := s.reached(one.Elasticsearch); known {
			d.lacks[one.Capability].Store(!reached)
		}
	}
}
