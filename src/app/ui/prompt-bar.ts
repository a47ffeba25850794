import { isComposing } from '../input/keyboard'
import { notify, type Preset, type Store, watch } from '../store'
import { GLYPHS, h, icon, letGoAfter, setText } from './dom'

/** What a server takes, and far more than is read of it. */
const MAX_LENGTH = 1000

/** The one line that tells the dream by words what to become: a text field, and presets as chips. */
export function createPromptBar(store: Store, submit: (prompt: Preset | string) => Promise<boolean>) {
  const input = h<'input'>('input.prompt-input', {
    type: 'text',
    name: 'prompt',
    placeholder: 'Describe the drive…',
    autocomplete: 'off',
    spellcheck: false,
    enterKeyHint: 'go',
    'aria-label': 'Describe the drive',
  })
  const send = h<'button'>(
    'button.prompt-send',
    { type: 'submit', 'aria-label': 'Turn the dream into this' },
    icon(GLYPHS.send),
  )
  const status = h('span.prompt-status', { 'aria-live': 'polite' })
  const progress = h('div.prompt-progress')
  const form = h<'form'>('form.prompt', {}, input, status, send, progress)
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const typed = input.value.trim()
    const text = cut(typed)
    if (text !== typed) {
      const sentence = `Only the beginning of so long a text was taken, ${text.length} of ${typed.length} letters.`
      notify(store, sentence, 'warn')
    }
    input.value = ''
    input.blur()
    if (text) void say(text)
  })
  const say = async (text: string) => {
    // What could not be read is there to be sent again, unless other words are being typed.
    if (!(await submit(text)) && !input.value) input.value = text
  }
  input.addEventListener('focus', () => store.setState({ typing: true }))
  input.addEventListener('blur', () => store.setState({ typing: false }))
  input.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || isComposing(event)) return
    event.preventDefault()
    event.stopPropagation()
    input.value = ''
    input.blur()
  })

  const chips = h('div.chips', { role: 'group', 'aria-label': 'Presets' })
  // Dragging with the mouse scrolls the row, as a finger does.
  chips.addEventListener('wheel', (event) => {
    if (event.deltaY && chips.scrollWidth > chips.clientWidth) {
      event.preventDefault()
      chips.scrollLeft += event.deltaY
    }
  })
  watch(
    store,
    (s) => s.presets,
    (presets) => {
      chips.replaceChildren(
        ...presets.map((preset) =>
          h<'button'>(
            'button.chip',
            {
              type: 'button',
              'data-preset': preset.id,
              onclick: (event: MouseEvent) => {
                letGoAfter(event)
                void submit(preset)
              },
            },
            preset.text,
          ),
        ),
      )
      mark()
    },
  )
  watch(
    store,
    (s) => s.prompt,
    () => mark(),
  )
  function mark() {
    const { presets, prompt } = store.getState()
    chips.childNodes.forEach((chip, i) => {
      const on = presets[i]?.text === prompt
      ;(chip as HTMLElement).classList.toggle('on', on)
      ;(chip as HTMLElement).setAttribute('aria-pressed', String(on))
    })
  }
  watch(
    store,
    (s) => s.reading,
    (reading) => {
      form.classList.toggle('reading', reading !== null)
      setText(status, reading?.label ?? '')
      const fraction = reading?.fraction
      form.classList.toggle('unknown', reading !== null && fraction === null)
      progress.style.transform = typeof fraction === 'number' ? `scaleX(${fraction.toFixed(3)})` : ''
    },
  )
  return { form, chips, focus: () => input.focus({ preventScroll: true }) }
}

/** At most `MAX_LENGTH` letters, up to the end of a word. */
function cut(text: string): string {
  if (text.length <= MAX_LENGTH) return text
  const part = text.slice(0, MAX_LENGTH)
  return part.slice(0, Math.max(part.lastIndexOf(' '), MAX_LENGTH / 2)).trim()
}
