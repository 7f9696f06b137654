/** Which way bytes go, as seen from here. */
export type Direction = 'upload' | 'download'

export const DIRECTIONS: readonly Direction[] = ['upload', 'download']
