import type { LibtorrentErrorCode } from '../errors/libtorrentError.ts'
import type { MseHandshake, MseOutcome } from './mseHandshake.ts'
import { MseInput } from './mseInput.ts'

/** Where a handshake that is over ends up, whatever its other states are. */
export type EndedState = { readonly name: 'ended'; readonly outcome: MseOutcome }

/** What both sides of the handshake do alike: gather bytes, go on as far as these reach, and end. */
export abstract class HandshakeFrame<State extends { readonly name: string }> implements MseHandshake {
  protected readonly input: MseInput

  /** @param longest bytes that the other side may send before the outcome */
  constructor(
    protected state: State | EndedState,
    longest: number,
  ) {
    this.input = new MseInput(longest)
  }

  get outcome(): MseOutcome | null {
    const { state } = this
    return isEnded(state) ? state.outcome : null
  }

  receive(bytes: Uint8Array): number {
    const taken = this.input.fill(bytes)
    while (this.advance());
    return taken
  }

  rest(): Uint8Array {
    return this.input.rest()
  }

  /** One step. False when bytes are missing, or nothing is left to do. */
  protected abstract advance(): boolean

  /** any -> ended */
  protected end(outcome: MseOutcome): false {
    this.state = { name: 'ended', outcome }
    return false
  }

  /** any -> ended */
  protected fail(code: LibtorrentErrorCode): false {
    return this.end({ code })
  }
}

function isEnded(state: { readonly name: string }): state is EndedState {
  return state.name === 'ended'
}
