package localhub

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// retention is how long GitHub keeps deliveries for redelivery.
const retention = 3 * 24 * time.Hour

func deliveryRoutes() []route {
	list := []route{
		get("/app/hook/config", nil, "apps/webhooks#get-a-webhook-configuration-for-an-app", func(c *call) answer { return ok(c.actor.app.hookConfig()) }),
		patch("/app/hook/config", nil, "apps/webhooks#update-a-webhook-configuration-for-an-app", patchHook),
		get("/app/hook/deliveries", nil, "apps/webhooks#list-deliveries-for-an-app-webhook", listDeliveries),
		get("/app/hook/deliveries/{delivery_id}", nil, "apps/webhooks#get-a-delivery-for-an-app-webhook", getDelivery),
		post("/app/hook/deliveries/{delivery_id}/attempts", nil, "apps/webhooks#redeliver-a-delivery-for-an-app-webhook", redeliver),
	}
	for i := range list {
		list[i].who = asApp
	}
	return list
}

func patchHook(c *call) answer {
	var in struct {
		URL    optional[string] `json:"url"`
		Secret optional[string] `json:"secret"`
	}
	if bad := c.read(&in); bad != nil {
		return *bad
	}
	in.URL.into(&c.actor.app.hookURL)
	in.Secret.into(&c.actor.app.hookSecret)
	return ok(c.actor.app.hookConfig())
}

// listDeliveries pages with a cursor, newest first: the Link header names the next
// page by the id it begins after.
func listDeliveries(c *call) answer {
	size := c.pageSize()
	before, after := int64(0), c.hub.now().Add(-retention)
	if cursor := c.query("cursor"); cursor != "" {
		n, err := strconv.ParseInt(strings.TrimPrefix(cursor, "v1_"), 10, 64)
		if err != nil {
			return invalid(flaw{Resource: "Hook", Field: "cursor", Code: "invalid"})
		}
		before = n
	}
	list := []obj{}
	var last int64
	more := false
	for _, d := range slices.Backward(c.actor.app.deliveries) {
		if before != 0 && d.ID >= before || d.At.Before(after) || !d.done {
			continue
		}
		if len(list) == size {
			more = true
			break
		}
		list, last = append(list, d.summary()), d.ID
	}
	a := ok(list)
	if more {
		a = a.with("Link", fmt.Sprintf(`<%s/app/hook/deliveries?per_page=%d&cursor=v1_%d>; rel="next"`, c.hub.apiURL(), size, last))
	}
	return a
}

func (d *Delivery) summary() obj {
	var action, install, repo any
	if d.Action != "" {
		action = d.Action
	}
	if d.Installation != 0 {
		install = d.Installation
	}
	if d.Repository != 0 {
		repo = d.Repository
	}
	return obj{
		"id": d.ID, "guid": d.GUID, "delivered_at": d.At.Format(time.RFC3339), "redelivery": d.Redelivery,
		"duration": d.took.Seconds(), "status": d.status, "status_code": d.Status, "event": d.Event, "action": action,
		"installation_id": install, "repository_id": repo, "throttled_at": nil,
	}
}

func (c *call) delivery() *Delivery {
	id := c.number("delivery_id")
	for _, d := range c.actor.app.deliveries {
		if d.ID == id {
			return d
		}
	}
	return nil
}

func getDelivery(c *call) answer {
	d := c.delivery()
	if d == nil {
		return notFound()
	}
	j := d.summary()
	answered := map[string]string{}
	for name := range d.answered {
		answered[name] = d.answered.Get(name)
	}
	j["url"] = d.app.hookURL
	j["request"] = obj{"headers": d.headers, "payload": json.RawMessage(d.Payload)}
	j["response"] = obj{"headers": answered, "payload": d.answer}
	return ok(j)
}

func redeliver(c *call) answer {
	d := c.delivery()
	if d == nil || d.At.Before(c.hub.now().Add(-retention)) {
		return notFound()
	}
	c.hub.again(d)
	return answer{status: http.StatusAccepted, body: obj{}}
}
