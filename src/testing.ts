/** For whoever makes a world of their own: the promises of `World` as tests, which run in vitest. */
export { checkWorld } from './engine/testing/world-suite'
