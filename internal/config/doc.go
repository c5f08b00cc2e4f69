// Package config reads the configuration from the environment, and secrets from the files that it
// names, and returns typed values. Cmd calls it; what the values do is decided by the packages that
// get them.
//
// The invariant to keep: a [Config] that [Load] returns is valid as a whole. A wrong value, a name
// that nobody reads and two values that exclude each other are errors, all of them in one message,
// and no message and no log has a secret.
package config
