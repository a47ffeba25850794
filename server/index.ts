/** Oneiro's server of streamed sessions, in a Node process of one's own. */
export { serve } from './serve'
