import type { NodeContact } from './nodeContact.ts'
import type { QueryBody, RequestObserver } from './requestManager.ts'
import type { Candidate } from './traversal.ts'

export interface WriteBatchHost {
  ask(body: QueryBody, contact: NodeContact, id: Uint8Array | null, observer: RequestObserver): boolean
}

/**
 * Writes the same to several nodes at once, an announce or an item, each with the token it gave, and counts how many
 * took it. A node that refuses counts as one that does not answer.
 */
export class WriteBatch {
  private waiting = 0
  private successes = 0
  private sentAll = false

  /** @param done is called once: at once when there is nobody to write to. */
  constructor(
    private readonly host: WriteBatchHost,
    private readonly done: (numSuccess: number) => void,
  ) {}

  send(nodes: readonly Candidate[], body: (token: Uint8Array) => QueryBody): void {
    const observer: RequestObserver = {
      onReply: () => this.over(true),
      onSlow: () => {},
      onFailed: () => this.over(false),
    }
    for (const { id, contact, token } of nodes) {
      if (token === null) continue
      if (this.host.ask(body(token), contact, id, observer)) this.waiting++
    }
    this.sentAll = true
    if (this.waiting === 0) this.done(0)
  }

  private over(success: boolean): void {
    if (success) this.successes++
    if (--this.waiting === 0 && this.sentAll) this.done(this.successes)
  }
}
