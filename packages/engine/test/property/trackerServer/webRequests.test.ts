import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hashText, idText, offers, WebScene } from '../../unit/trackerServer/webScene.ts'

/** What may stand in a field: what belongs there, and what does not. */
const value = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('announce', 'scrape', hashText(1), hashText(2), idText(1), idText(2)) },
  fc.jsonValue({ maxDepth: 3 }),
  fc.string({ unit: 'binary', minLength: 20, maxLength: 20 }),
  fc.constantFrom('__proto__', 'constructor', '\ud800'.repeat(20), 'started', 'completed', 'stopped', 0, -1, 1e300),
  fc.constantFrom(offers(3), { type: 'answer', sdp: 'x' }, { type: 'offer', sdp: '\udfff' }),
)
const FIELDS = [
  'info_hash',
  'peer_id',
  'left',
  'event',
  'numwant',
  'offers',
  'answer',
  'to_peer_id',
  'offer_id',
  'offer',
]
const message = fc
  .record({ action: fc.constantFrom('announce', 'announce', 'scrape', '__proto__'), by: fc.nat(2) })
  .chain(({ action, by }) =>
    fc.dictionary(fc.constantFrom(...FIELDS, '__proto__'), value, { maxKeys: 8 }).map((fields) => ({
      by,
      text: JSON.stringify({ action, info_hash: hashText(1), peer_id: idText(by), ...fields }),
    })),
  )

test('no message makes the tracker throw, or send more than it was sent, and whoever leaves is gone', () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 30 }), (messages) => {
      const scene = new WebScene()
      const users = [0, 1, 2].map((n) => scene.user(n))
      let said = 0
      for (const { by, text } of messages) {
        said += text.length
        users[by].says(text)
        // Its own answer, with the counts of a swarm or two, is all that comes on top.
        const heard = users.reduce((sum, user) => sum + JSON.stringify(user.heard).length, 0)
        expect(heard).toBeLessThan(2 * said + 400 * messages.length)
      }
      const { webClients, webPeers } = scene.front.stats()
      expect([webClients, webPeers]).toEqual([users.filter(({ isClosed }) => !isClosed).length, webPeers])
      for (const user of users) user.close()
      expect(scene.front.stats()).toEqual({ webClients: 0, webPeers: 0, webSeeds: 0 })
    }),
  )
})
