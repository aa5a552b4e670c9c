// SPDX-License-Identifier: AGPL-3.0-or-later

package tracker

import (
	"context"
	"time"

	"github.com/coder/websocket"
)

// send queues a message and never blocks. Its callers are goroutines that Close waits for. A connection that takes messages slower than they come
// is dropped. A writer runs only while something is queued, so an idle connection costs no stack.
func (c *conn) send(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last {
		return
	}
	if c.queued+len(b) > c.t.cfg.MaxQueue {
		c.last = true
		c.queue, c.queued = nil, 0
		c.t.log.Debug("dropped a slow connection", "ip", c.ip)
		c.t.wg.Go(c.drop)
		return
	}
	c.queue = append(c.queue, b)
	c.queued += len(b)
	if !c.writing {
		c.writing = true
		c.t.wg.Go(c.write)
	}
}

// end closes the connection once what is queued is written.
func (c *conn) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = true
	if !c.writing {
		c.t.wg.Go(c.bye)
	}
}

// write writes until nothing is queued.
func (c *conn) write() {
	for {
		c.mu.Lock()
		if len(c.queue) == 0 {
			c.queue, c.writing = nil, false
			last := c.last
			c.mu.Unlock()
			if last {
				c.bye()
			}
			return
		}
		queue := c.queue
		c.queue, c.queued = nil, 0
		c.mu.Unlock()
		for _, b := range queue {
			c.writingSince.Store(time.Now().Unix())
			err := c.ws.Write(context.Background(), websocket.MessageText, b)
			c.writingSince.Store(0)
			if err != nil {
				c.drop()
				return // writing stays true: nothing is written any more
			}
		}
	}
}

// bye closes with a close frame; the reader then ends.
func (c *conn) bye() {
	if err := c.ws.Close(websocket.StatusNormalClosure, ""); err != nil {
		c.drop()
	}
}

// drop closes at once. It may be called often and from anywhere.
func (c *conn) drop() {
	c.mu.Lock()
	c.last, c.queue, c.queued = true, nil, 0
	c.mu.Unlock()
	_ = c.ws.CloseNow() // it fails when the connection is closed already
}
