// Package made makes events that meet the conditions of rules, for tests: few published rules match
// anything that was recorded.
//
// An event meets a condition as far as that can be read off the condition. What is negated is left
// to chance, and so is most of what functions return: a caller asks the matcher or a server whether
// the event is a match, and takes another variation where it is none.
package made
