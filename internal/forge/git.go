package forge

import "context"

// GitToken returns a token of the client's access, as the password with which Git
// over HTTPS is used (user x-access-token). It is valid for at least a minute.
func (c *Client) GitToken(ctx context.Context) (string, error) {
	token, err := c.in.token(c.access).Token(ctx)
	if err != nil {
		return "", c.in.app.tokenError(c.in.id, err)
	}
	return token, nil
}
