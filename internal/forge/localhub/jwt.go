package localhub

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v4"
)

// appOf verifies an App's JWT as GitHub does: RS256, not older than its exp, exp at
// most ten minutes away, iat not in the future, iss the App's id or client id.
func (h *Hub) appOf(secret string) (*App, *answer) {
	const undecodable = "A JSON web token could not be decoded"
	claims := jwt.MapClaims{}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithoutClaimsValidation())
	var app *App
	stranger := false
	_, err := parser.ParseWithClaims(secret, claims, func(*jwt.Token) (any, error) {
		if app = h.issuer(claims["iss"]); app == nil {
			stranger = true
			return nil, fmt.Errorf("no App has the id %v", claims["iss"])
		}
		return &app.private.PublicKey, nil
	})
	if stranger {
		a := refuse(http.StatusNotFound, "Integration not found")
		return nil, &a
	}
	if err != nil {
		return nil, unauthorized(undecodable)
	}
	if message := h.claimsFault(claims); message != "" {
		return nil, unauthorized(message)
	}
	return app, nil
}

func (h *Hub) claimsFault(claims jwt.MapClaims) string {
	const longest = 10 * time.Minute
	now := h.options.Now()
	exp, isNumber := claims["exp"].(float64)
	if !isNumber || now.After(time.Unix(int64(exp), 0)) {
		return "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires"
	}
	if time.Unix(int64(exp), 0).After(now.Add(longest)) {
		return "'Expiration time' claim ('exp') is too far in the future"
	}
	iat, isNumber := claims["iat"].(float64)
	if !isNumber || time.Unix(int64(iat), 0).After(now) {
		return "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
	}
	return ""
}

func (h *Hub) issuer(iss any) *App {
	text := fmt.Sprint(iss)
	if number, is := iss.(float64); is {
		text = strconv.FormatInt(int64(number), 10)
	}
	for _, app := range h.state.apps {
		if text == strconv.FormatInt(app.id, 10) || text == app.clientID {
			return app
		}
	}
	return nil
}
