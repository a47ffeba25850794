/** Schemas of files and messages. zod's small build, at a third of the size; it says what is wrong only once it has a language. */
import * as z from 'zod/mini'
import english from 'zod/v4/locales/en.js'

z.config(english())

export { z }
