// Package elastic is the way to one cluster.
//
// It holds the addresses and their health, the credentials, the trust in the cluster's certificate and
// what the server can do. It sends requests and leaves to its callers what they ask and what the
// answers mean: package search reads events, package sink writes signals, package schedule keeps
// ledgers. cmd/esrule reads the configuration and builds one Client, which all of them share.
//
// The invariant to keep: a request is answered by the cluster or ends with an error. An answer of
// something else on the way is never passed on as the cluster's, and no credential leaves this
// package except in the header of a request to one of the configured addresses.
package elastic
