// Package detect puts rules to work: it compiles a rule, and says which of them an event satisfies.
// It knows no clock and no ledger; when rules run is the business of schedule, backfill and scan.
package detect
