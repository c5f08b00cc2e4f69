package date

import "strings"

// named gives the pattern behind one of Elasticsearch's names for a format. In these patterns f stands for
// a point and one to nine digits, and Z for any zone. strict is whether numbers need all their digits.
func named(name string) (pattern string, strict, ok bool) {
	rest, strict := strings.CutPrefix(name, "strict_")
	patterns := map[string]string{
		"year":                              "yyyy",
		"year_month":                        "yyyy-MM",
		"year_month_day":                    "yyyy-MM-dd",
		"date":                              "yyyy-MM-dd",
		"date_hour":                         "yyyy-MM-dd'T'HH",
		"date_hour_minute":                  "yyyy-MM-dd'T'HH:mm",
		"date_hour_minute_second":           "yyyy-MM-dd'T'HH:mm:ss",
		"date_hour_minute_second_fraction":  "yyyy-MM-dd'T'HH:mm:ssf",
		"date_hour_minute_second_millis":    "yyyy-MM-dd'T'HH:mm:ssf",
		"date_time":                         "yyyy-MM-dd'T'HH:mm:ssfZ",
		"date_time_no_millis":               "yyyy-MM-dd'T'HH:mm:ssZ",
		"hour":                              "HH",
		"hour_minute":                       "HH:mm",
		"hour_minute_second":                "HH:mm:ss",
		"hour_minute_second_fraction":       "HH:mm:ssf",
		"hour_minute_second_millis":         "HH:mm:ssf",
		"time":                              "HH:mm:ssfZ",
		"time_no_millis":                    "HH:mm:ssZ",
		"t_time":                            "'T'HH:mm:ssfZ",
		"t_time_no_millis":                  "'T'HH:mm:ssZ",
		"ordinal_date":                      "yyyy-DDD",
		"ordinal_date_time":                 "yyyy-DDD'T'HH:mm:ssfZ",
		"ordinal_date_time_no_millis":       "yyyy-DDD'T'HH:mm:ssZ",
		"basic_date":                        "yyyyMMdd",
		"basic_date_time":                   "yyyyMMdd'T'HHmmssfZ",
		"basic_date_time_no_millis":         "yyyyMMdd'T'HHmmssZ",
		"basic_time":                        "HHmmssfZ",
		"basic_time_no_millis":              "HHmmssZ",
		"basic_t_time":                      "'T'HHmmssfZ",
		"basic_t_time_no_millis":            "'T'HHmmssZ",
		"basic_ordinal_date":                "yyyyDDD",
		"basic_ordinal_date_time":           "yyyyDDD'T'HHmmssfZ",
		"basic_ordinal_date_time_no_millis": "yyyyDDD'T'HHmmssZ",
	}
	pattern, ok = patterns[rest]
	// Digits without separators can only be told apart by their number.
	return pattern, strict || strings.HasPrefix(rest, "basic_"), ok
}
