package cond

// Span is the part of the query's text that a node was read from: byte offsets, half-open.
type Span struct{ Start, End int }

// Range returns the span itself; embedded in every node, it makes the node an [Expr] with a
// position.
func (s Span) Range() Span { return s }

// Expr is a node of a condition. The set is closed: [And], [Or], [Not], [Field] and [Literal] of
// all languages; [Compare], [In], [Like], [Binary], [Negate] and [Call] of EQL; [Is], [Wildcard],
// [Exists], [Order] and [Nested] of KQL; [Glob] of filters.
type Expr interface {
	Range() Span
	expr()
}

// And holds two or more operands, as written from left to right. An operand that is itself an And
// was in parentheses.
type And struct {
	Span
	Operands []Expr
}

// Or is like [And] for `or`.
type Or struct {
	Span
	Operands []Expr
}

// Not is `not operand`.
type Not struct {
	Span
	Operand Expr
}

// Compare is `left op right` for the operators == != < <= > >=.
type Compare struct {
	Span
	Op          CompareOp
	Left, Right Expr
}

// CompareOp is one of the six comparison operators.
type CompareOp uint8

// The comparison operators.
const (
	Equal CompareOp = iota
	NotEqual
	Less
	LessOrEqual
	Greater
	GreaterOrEqual
)

// In is `subject in (…)`, `subject in~ (…)` and their negations.
type In struct {
	Span
	Subject Expr
	Negated bool // not in
	Fold    bool // in~: letter case is ignored
	List    []Expr
}

// Like is a comparison of the subject with constant patterns: `:`, like, like~, regex, regex~.
// It holds where any pattern fits.
type Like struct {
	Span
	Op       LikeOp
	Subject  Expr
	Patterns []*Literal
	// List distinguishes `x : ("a")` from `x : "a"`; they mean the same.
	List bool
}

// LikeOp is one of the pattern operators.
type LikeOp uint8

// The pattern operators. Colon and LikeFold mean the same on strings.
const (
	Colon LikeOp = iota
	LikeExact
	LikeFold
	Regex
	RegexFold
)

// Binary is integer or floating-point arithmetic.
type Binary struct {
	Span
	Op          ArithmeticOp
	Left, Right Expr
}

// ArithmeticOp is one of the five arithmetic operators.
type ArithmeticOp uint8

// The arithmetic operators.
const (
	Add ArithmeticOp = iota
	Subtract
	Multiply
	Divide
	Modulo
)

// Negate is unary minus on something that is not a number literal. (A sign before a number literal
// belongs to the literal; unary plus leaves no node.)
type Negate struct {
	Span
	Operand Expr
}

// Call is a function call. Name is in Elasticsearch's spelling ("cidrMatch"), whatever the letter
// case it was written in.
type Call struct {
	Span
	Name   string
	Fold   bool // name~: letter case is ignored
	Args   []Expr
	Result Type // what the function returns
}

// Field is a reference to a field of the event.
type Field struct {
	Span
	// Path is the Elasticsearch field path, its parts joined with dots and without backquotes.
	Path     string
	Optional bool // ?field
	// Wild: the path holds stars, each any run of characters, dots included: all fields are meant
	// whose paths fit (KQL). A star in the path of another field is a star.
	Wild bool
}

// Literal is a constant.
type Literal struct {
	Span
	Kind LiteralKind
	// Text is a String's value after unescaping; for a number, its text as written, with its sign.
	Text  string
	Int   int64   // Kind Int
	Uint  uint64  // Kind Uint: an integer too large for int64
	Float float64 // Kind Float, and a too large integer
	Bool  bool    // Kind Bool
}

// LiteralKind says which of a Literal's fields holds its value.
type LiteralKind uint8

// The kinds of constants.
const (
	Null LiteralKind = iota
	String
	Int
	Uint
	Float
	Bool
)

func (*And) expr()     {}
func (*Or) expr()      {}
func (*Not) expr()     {}
func (*Compare) expr() {}
func (*In) expr()      {}
func (*Like) expr()    {}
func (*Binary) expr()  {}
func (*Negate) expr()  {}
func (*Call) expr()    {}
func (*Field) expr()   {}
func (*Literal) expr() {}
