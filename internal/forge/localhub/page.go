package localhub

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

const (
	defaultPage = 30
	largestPage = 100
)

// pageSize is per_page within its bounds; GitHub takes what is out of them as the
// nearest bound.
func (c *call) pageSize() int {
	n, err := strconv.Atoi(c.query("per_page"))
	if err != nil || n < 1 {
		return defaultPage
	}
	return min(n, largestPage)
}

func (c *call) pageNumber() int {
	n, err := strconv.Atoi(c.query("page"))
	if err != nil || n < 1 {
		return 1
	}
	return n
}

// page answers one page of a list, with the Link header.
func (c *call) page(list []obj) answer {
	part, link := paged(c, list)
	a := ok(part)
	if link != "" {
		a = a.with("Link", link)
	}
	return a
}

// counted is a page inside an object that tells how many there are.
func (c *call) counted(name string, list []obj) answer {
	a := c.page(list)
	a.body = obj{"total_count": len(list), name: a.body}
	return a
}

func paged(c *call, list []obj) ([]obj, string) {
	size, number := c.pageSize(), c.pageNumber()
	last := max(1, (len(list)+size-1)/size)
	start := min((number-1)*size, len(list))
	part := list[start:min(start+size, len(list))]
	if part == nil {
		part = []obj{}
	}
	var links []string
	add := func(rel string, n int) {
		q := c.r.URL.Query()
		q.Set("page", strconv.Itoa(n))
		u := url.URL{Path: c.r.URL.Path, RawQuery: q.Encode()}
		links = append(links, fmt.Sprintf(`<%s%s>; rel="%s"`, c.hub.apiURL(), u.String(), rel))
	}
	if number > 1 {
		add("prev", number-1)
	}
	if number < last {
		add("next", number+1)
		add("last", last)
	}
	if number > 1 {
		add("first", 1)
	}
	return part, strings.Join(links, ", ")
}
