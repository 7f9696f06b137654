import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { TrackerServer } from '../../../src/api/trackerServer.ts'
import type { TrackerServerOptions } from '../../../src/trackerServer/trackerServerOptions.ts'

/** A tracker on loopback, closed at the end of the test. */
export async function openTracker(options: TrackerServerOptions = {}): Promise<TrackerServer> {
  const tracker = new TrackerServer({ port: 0, hosts: ['127.0.0.1'], ...options })
  onTestFinished(() => tracker.close())
  await tracker.ready
  return tracker
}

/** A bare connection to the tracker, and everything it was sent. */
export class RawClient {
  received = ''
  readonly socket: Socket
  readonly closed: Promise<void>
  readonly connected: Promise<void>

  /** `keepsOpen`: it does not close its end because the other one was closed. */
  constructor(port: number, localAddress = '127.0.0.1', keepsOpen = false) {
    this.socket = connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: keepsOpen })
    this.socket.on('error', () => {})
    this.connected = new Promise((resolve) => this.socket.once('connect', () => resolve()))
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()))
    this.socket.on('data', (chunk) => {
      this.received += chunk.toString('latin1')
    })
    onTestFinished(() => void this.socket.destroy())
  }

  send(text: string): void {
    this.socket.write(text)
  }

  /** Waits until what was received `matches`, or the connection is closed. */
  async receives(matches: RegExp): Promise<string> {
    while (!matches.test(this.received) && !this.socket.closed) {
      await Promise.race([this.closed, new Promise((resolve) => this.socket.once('data', resolve))])
    }
    return this.received
  }
}
