package date

import "time"

// fields are what a pattern has read.
type fields struct {
	values [fieldCount]int64
	read   [fieldCount]bool
	zone   *time.Location // nil: offset, seconds east of UTC
	offset int
	zoned  bool
}

// set is not ok where the field was read before with another value.
func (f *fields) set(field field, value int64) bool {
	if f.read[field] {
		return f.values[field] == value
	}
	f.read[field], f.values[field] = true, value
	return true
}

// ranges are those of java.time.
func inRange(f field, v int64) bool {
	least, most := int64(0), int64(0)
	switch f {
	case yearOfEra:
		least, most = 1, 999_999_999
	case year:
		least, most = -999_999_999, 999_999_999
	case era, half:
		most = 1
	case quarter:
		return true // never looked at alone
	case month, clockHalfHour:
		least, most = 1, 12
	case dayOfMonth:
		least, most = 1, 31
	case dayOfYear:
		least, most = 1, 366
	case weekday:
		least, most = 1, 7
	case hour:
		most = 23
	case clockHour:
		least, most = 1, 24
	case halfHour:
		most = 11
	case minute, second:
		most = 59
	case nano:
		most = 999_999_999
	case milliOfDay:
		most = 86_400_000 - 1
	case nanoOfDay:
		most = 86_400_000_000_000 - 1
	}
	return least <= v && v <= most
}

// settle brings fields that say the same in other words into one form. It is not ok where they contradict each other,
// or where one is out of its range, but for those that may be passed over.
func (f *fields) settle() bool {
	for i := range f.values {
		switch field(i) {
		case hour, minute, second, nano:
			continue
		case dayOfMonth:
			if !f.read[month] {
				continue
			}
		}
		if f.read[i] && !inRange(field(i), f.values[i]) {
			return false
		}
	}
	if f.read[clockHour] && !f.set(hour, f.values[clockHour]%24) ||
		f.read[clockHalfHour] && !f.set(halfHour, f.values[clockHalfHour]%12) {
		return false
	}
	if f.read[halfHour] && f.read[half] && !f.set(hour, f.values[halfHour]+12*f.values[half]) {
		return false
	}
	if f.read[hour] && f.read[half] && f.values[hour]/12 != f.values[half] {
		return false
	}
	ofDay := f.values[nanoOfDay]
	if f.read[milliOfDay] {
		ofDay = f.values[milliOfDay] * 1e6
	}
	if f.read[milliOfDay] || f.read[nanoOfDay] {
		return f.set(hour, ofDay/3600e9) && f.set(minute, ofDay/60e9%60) && f.set(second, ofDay/1e9%60) && f.set(nano, ofDay%1e9)
	}
	return true
}

// timeInRange tells whether the parts of the time of day are such.
func (f *fields) timeInRange() bool {
	for _, part := range [...]field{hour, minute, second, nano} {
		if f.read[part] && !inRange(part, f.values[part]) {
			return false
		}
	}
	return true
}

// hasTime tells whether the fields make a time of day: each with those before it. Fields that make none are passed over.
func (f *fields) hasTime() bool {
	return f.read[hour] && (f.read[minute] || !f.read[second] && !f.read[nano]) && (f.read[second] || !f.read[nano])
}

// anyYear gives the year, of whatever era.
func (f *fields) anyYear() (y int64, known bool) {
	switch {
	case f.read[year]:
		return f.values[year], true
	case f.read[yearOfEra] && f.read[era] && f.values[era] == 0:
		return 1 - f.values[yearOfEra], true
	}
	return f.values[yearOfEra], f.read[yearOfEra]
}

// resolve gives the first instant that the fields stand for, as Elasticsearch makes it of what java.time has resolved
// strictly: a document's value, and where a constant begins.
func (f fields) resolve() (civil, bool) {
	if !f.settle() {
		return civil{}, false
	}
	c := civil{zone: f.zone, offset: f.offset, month: 1, day: 1}
	y, hasYear := f.anyYear()
	isDate := hasYear && (f.read[month] && f.read[dayOfMonth] || f.read[dayOfYear])
	withTime := f.hasTime()
	switch {
	case isDate, hasYear && !withTime, f.read[month]:
	case withTime:
		y = 1970 // a year alone is passed over
		hasYear = false
	default:
		return civil{}, false
	}
	if c.year, c.hasYear = y, hasYear; !hasYear {
		c.year, c.hasYear = 1970, true
	}
	// A year of an era that is not named is no date to java.time, so nothing is compared with the date.
	if !f.day(&c, isDate || !hasYear) || isDate && (f.read[year] || f.read[era]) && !f.agree(&c) {
		return civil{}, false
	}
	if (withTime || !f.read[hour]) && !f.timeInRange() {
		return civil{}, false
	}
	if withTime {
		c.hour, c.minute, c.second, c.nanos = int(f.values[hour]), int(f.values[minute]), int(f.values[second]), int(f.values[nano])
	}
	return c, true
}

// day sets the month and the day. withDay is false where a day alone says nothing.
func (f *fields) day(c *civil, withDay bool) bool {
	switch {
	case f.read[month] && (f.read[dayOfMonth] || !f.read[dayOfYear]):
		c.month = int(f.values[month])
		if f.read[dayOfMonth] && withDay {
			c.day = int(f.values[dayOfMonth])
		}
	case f.read[dayOfYear]:
		c.setDayOfYear(int(f.values[dayOfYear]))
	}
	return c.month <= 12 && c.day <= daysIn(c.year, c.month)
}

// setDayOfYear leaves a day that the year does not have in a 13th month.
func (c *civil) setDayOfYear(n int) {
	for c.month, c.day = 1, n; c.month <= 12 && c.day > daysIn(c.year, c.month); c.month++ {
		c.day -= daysIn(c.year, c.month)
	}
}

// agree tells whether what else was read fits the date.
func (f *fields) agree(c *civil) bool {
	days := daysSince1970(c.year, c.month, c.day)
	ofYear := days - daysSince1970(c.year, 1, 1) + 1
	day := (days+3)%7 + 1 // 1 January 1970 was a Thursday
	if day < 1 {
		day += 7
	}
	fits := func(field field, value int64) bool { return !f.read[field] || f.values[field] == value }
	return fits(weekday, day) && fits(quarter, int64(c.month+2)/3) && fits(dayOfYear, ofYear) &&
		fits(month, int64(c.month)) && fits(dayOfMonth, int64(c.day))
}

// resolveLast gives the last instant that the fields stand for: what was not read of the time is the last of its kind, of
// the date the first. It is not ok where Elasticsearch refuses a constant, since that contradicts what was read.
func (f fields) resolveLast() (civil, bool) {
	if f.read[milliOfDay] || f.read[nanoOfDay] || f.read[clockHour] && !f.read[hour] && f.values[clockHour] != 23 {
		return civil{}, false
	}
	if f.read[half] && f.values[half] == 0 && !f.read[halfHour] && !f.read[clockHalfHour] {
		return civil{}, false
	}
	if (f.read[halfHour] || f.read[clockHalfHour]) && !f.read[half] && !f.read[hour] {
		f.read[half], f.values[half] = true, 1
	}
	if !f.settle() || !f.timeInRange() {
		return civil{}, false
	}
	c := civil{zone: f.zone, offset: f.offset, month: 1, day: 1, hasYear: true}
	y, hasYear := f.anyYear()
	if c.year = y; !hasYear {
		c.year = 1970
	}
	if !f.day(&c, true) {
		return civil{}, false
	}
	if f.read[dayOfMonth] && !f.read[month] && !f.read[dayOfYear] {
		if c.day = int(f.values[dayOfMonth]); c.day < 1 || c.day > 31 {
			return civil{}, false
		}
	}
	if hasYear && !f.agree(&c) {
		return civil{}, false
	}
	last := func(field field, last int) int {
		if f.read[field] {
			return int(f.values[field])
		}
		return last
	}
	c.hour, c.minute, c.second, c.nanos = last(hour, 23), last(minute, 59), last(second, 59), last(nano, 999_999_999)
	return c, true
}
