// Package indices sets up and inspects the three indices that the program owns: signals, state and
// dead letters. It knows their names, their mappings and templates, and what the program has to be
// allowed to do with them. Who reads and writes them is decided elsewhere: package sink writes
// signals and dead letters, package state the documents of the state index.
//
// The invariant: Ensure changes nothing that is there, and accepts only a name that stands for one
// concrete index. A document's id is unique within one index only.
package indices
