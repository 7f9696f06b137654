import type { SimHost } from '../../sim/simHost.ts'
import type { SimWorld } from '../../sim/simWorld.ts'
import { TrackerServer } from '../../src/api/trackerServer.ts'
import type { HttpServer } from '../../src/platform/httpServer.ts'
import type { WebSocketService } from '../../src/platform/webSocketServer.ts'
import type { TrackerServerOptions } from '../../src/trackerServer/trackerServerOptions.ts'

export const TRACKER_PORT = 6969

/** A machine with the name tracker.example. */
export function trackerHost(world: SimWorld): SimHost {
  const host = world.host('tracker')
  world.names.set('tracker.example', host.address)
  return host
}

/** Our tracker on a machine of the simulated world. `wrap` may come between it and its WebSocket clients. */
export async function openTracker(
  world: SimWorld,
  host: SimHost,
  options: TrackerServerOptions = {},
  wrap = (service: WebSocketService) => service,
): Promise<TrackerServer> {
  const { clock, timers, random, udp } = world.platformOf(host)
  const httpServer: HttpServer = {
    loadWebSockets: (done) => timers.after(0, () => done(null)),
    listen(local, handler, _limits, done, webSockets) {
      const [origin, webOrigin] = ['http', 'ws'].map((scheme) => `${scheme}://tracker.example:${TRACKER_PORT}`)
      world.web.serve(origin, host, ({ path, query, from }) => handler(query === '' ? path : `${path}?${query}`, from))
      if (webSockets !== undefined) world.rtc.serve(webOrigin, host, wrap(webSockets))
      const close = (closed: () => void) => {
        world.web.stop(origin)
        world.rtc.stop(webOrigin)
        closed()
      }
      timers.after(0, () => done({ local, close }))
    },
  }
  const params = { port: TRACKER_PORT, hosts: [host.address], interval: 600, ...options }
  const tracker = new TrackerServer(params, { clock, timers, random, udp, httpServer })
  await world.settle(tracker.ready)
  return tracker
}
