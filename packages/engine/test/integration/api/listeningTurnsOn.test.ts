import { expect, test } from 'vitest'
import { Session } from '../../../src/api/session.ts'
import { Sha1Hash } from '../../../src/util/digest.ts'

test('what listeners asked for still comes after a setting that has nothing to do with alerts was changed', async () => {
  const session = new Session({ noListen: true, settings: { alertMask: 0 } })
  const heard: string[] = []
  session.on('torrentAdded', (alert) => heard.push(alert.type))
  await session.applySettings({ connectionsLimit: 100 })
  session.addTorrent({ infoHash: new Sha1Hash(new Uint8Array(20).fill(1)), savePath: '.' })
  await session.abort()
  expect(heard).toEqual(['torrentAdded'])
})

test('a limit that is none is refused at once, and no promise is left behind', async () => {
  const session = new Session({ noListen: true })
  expect(() => session.setMaxUploads(Number.NaN)).toThrow()
  await session.abort()
})
