// Package elastic is the way to one cluster: the connection, one request, one strict reading of its
// answer, one error.
//
// It holds the addresses and their health, the credentials, the trust in the cluster's certificate
// and what the server can do. It sends requests and leaves to its callers what they ask and what
// the answers mean: package search reads events, package sink writes signals, package schedule
// keeps ledgers. cmd/esrule reads the configuration and builds one Client, which all of them share.
//
// The invariants to keep. A request is answered by the cluster or ends with an error: an answer
// without Elasticsearch's own header proves nothing, neither that something was searched nor that
// something is not there. An answer says no more than it holds: what the protocol always sends and
// is missing is an error that names the address, never a zero or an empty list. And no credential
// leaves this package except in the header of a request to one of the configured addresses.
package elastic
