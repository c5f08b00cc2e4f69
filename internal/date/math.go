package date

import "time"

// calculate applies date math, such as "-1h/d+2m", to an instant. Rounding with up goes to the last
// millisecond of the unit.
func calculate(math string, t time.Time, up bool) (Instant, bool) {
	for len(math) > 0 {
		op := math[0]
		math = math[1:]
		n, digits := 0, 0
		for digits < len(math) && '0' <= math[digits] && math[digits] <= '9' {
			if n > 1e8 {
				return Instant{}, false
			}
			n = n*10 + int(math[digits]-'0')
			digits++
		}
		if digits == 0 {
			n = 1
		}
		math = math[digits:]
		if math == "" {
			return Instant{}, false
		}
		unit := math[0]
		math = math[1:]
		var ok bool
		switch op {
		case '+':
			t, ok = add(t, unit, n)
		case '-':
			t, ok = add(t, unit, -n)
		case '/':
			if digits > 0 && n != 1 {
				return Instant{}, false
			}
			t, ok = round(t, unit, up)
		}
		if !ok {
			return Instant{}, false
		}
	}
	return At(t), true
}

func add(t time.Time, unit byte, n int) (time.Time, bool) {
	switch unit {
	case 'y':
		return addMonths(t, 12*n), true
	case 'M':
		return addMonths(t, n), true
	case 'w':
		return t.AddDate(0, 0, 7*n), true
	case 'd':
		return t.AddDate(0, 0, n), true
	case 'h', 'H':
		return addSeconds(t, n, 3600), true
	case 'm':
		return addSeconds(t, n, 60), true
	case 's':
		return addSeconds(t, n, 1), true
	}
	return t, false
}

// addSeconds does without time.Duration, which ends at 292 years.
func addSeconds(t time.Time, n int, seconds int64) time.Time {
	return time.Unix(t.Unix()+int64(n)*seconds, int64(t.Nanosecond())).UTC()
}

// addMonths goes to the same day of another month, or to its last: 31 January and a month is 28
// February.
func addMonths(t time.Time, n int) time.Time {
	first := time.Date(t.Year(), t.Month()+time.Month(n), 1, t.Hour(), t.Minute(), t.Second(),
		t.Nanosecond(), time.UTC)
	last := daysIn(int64(first.Year()), int(first.Month()))
	return first.AddDate(0, 0, min(t.Day(), last)-1)
}

func round(t time.Time, unit byte, up bool) (time.Time, bool) {
	start := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	switch unit {
	case 'y':
		start = time.Date(t.Year(), 1, 1, 0, 0, 0, 0, time.UTC)
	case 'M':
		start = time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
	case 'w':
		start = start.AddDate(0, 0, -(int(t.Weekday())+6)%7) // weeks begin on Monday
	case 'd':
	case 'h', 'H':
		start = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), 0, 0, 0, time.UTC)
	case 'm':
		start = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), 0, 0, time.UTC)
	case 's':
		start = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0,
			time.UTC)
	default:
		return t, false
	}
	if !up {
		return start, true
	}
	end, _ := add(start, unit, 1)
	return end.Add(-time.Millisecond), true
}
