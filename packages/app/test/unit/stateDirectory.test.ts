import { expect, test } from 'vitest'
import { stateDirectory } from '../../src/stateDirectory.ts'

test('state is kept where the system wants it, or where LT_STATE_DIR says', () => {
  expect(stateDirectory({ XDG_STATE_HOME: '/x' }, 'linux')).toMatch(/^.x.libtorrent-ts$/)
  expect(stateDirectory({}, 'linux')).toMatch(/.local.state.libtorrent-ts$/)
  expect(stateDirectory({}, 'darwin')).toMatch(/Library.Application Support.libtorrent-ts$/)
  expect(stateDirectory({ LOCALAPPDATA: 'C:' }, 'win32')).toMatch(/^C:.libtorrent-ts$/)
  for (const platform of ['linux', 'darwin', 'win32'] as const) {
    expect(stateDirectory({ LT_STATE_DIR: '/mine' }, platform)).toBe('/mine')
  }
})
