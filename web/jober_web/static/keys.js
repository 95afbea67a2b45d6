// The keyboard: `?` tells of it. Nothing is listened to while somebody writes into a field.

const dialog = document.querySelector('#keys')
let waitsForPlace = 0

function isWriting(element) {
  return element.matches?.('input:not([type=checkbox], [type=radio], [type=range]), textarea, select, [contenteditable]')
}

function rows() {
  return [...document.querySelectorAll('[data-rows] > [data-href]')].filter(row => row.offsetParent)
}

function step(by) {
  const all = rows()
  if (!all.length) return
  const at = all.indexOf(document.activeElement.closest('[data-href]'))
  const next = all[Math.min(all.length - 1, Math.max(0, at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by))]
  const link = next.querySelector('a')
  link.focus()
  next.scrollIntoView({block: 'nearest'})
}

document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
  if (event.key === 'Escape' && isWriting(event.target)) return event.target.blur()
  if (isWriting(event.target) || dialog.open) return
  if (waitsForPlace && Date.now() - waitsForPlace < 1500) {
    waitsForPlace = 0
    const link = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`)
    if (link) {
      event.preventDefault()
      link.click()
      return
    }
  }
  switch (event.key) {
    case 'g':
      waitsForPlace = Date.now()
      break
    case '/': {
      const field = document.querySelector('input[type=search]')
      if (field) {
        event.preventDefault()
        field.focus()
        field.select()
      }
      break
    }
    case '?':
      dialog.showModal()
      break
    case 'j':
    case 'ArrowDown':
    case 'k':
    case 'ArrowUp': {
      if (event.key.startsWith('Arrow') && !document.activeElement.closest('[data-href]')) break
      event.preventDefault()
      step(event.key === 'j' || event.key === 'ArrowDown' ? 1 : -1)
      break
    }
    case 'x': {
      const box = document.activeElement.closest('[data-href]')?.querySelector('input[type=checkbox]')
      box?.click()
      break
    }
    case 'f':
      document.querySelector('[data-follow]')?.click()
      break
  }
})
