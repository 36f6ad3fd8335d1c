'use strict';
// The page works without this: it adds the copy buttons' work, opens what a link points at, and
// opens for printing what is to be let through. Everything else that is folded stays so on paper:
// one cause is one page.
(() => {
  const status = document.getElementById('copied');
  const words = {  // in the page's language where that is not English
    copied: 'Copied', notCopied: 'Not copied', inClipboard: 'Copied to the clipboard',
    notInClipboard: 'Could not be copied', close: 'Close all', open: 'Open all', ...document.body.dataset,
  };

  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Not allowed here: the old way, by a selection.
      const area = document.createElement('textarea');
      area.value = text;
      area.className = 'offscreen';
      document.body.append(area);
      area.select();
      const done = document.execCommand('copy');
      area.remove();
      return done;
    }
  };

  for (const button of document.querySelectorAll('button[data-copy]')) {
    const label = button.textContent;
    button.hidden = false;
    button.addEventListener('click', async () => {
      const done = await copy(button.dataset.copy);
      button.focus();
      button.textContent = done ? words.copied : words.notCopied;
      status.textContent = done ? words.inClipboard : words.notInClipboard;
      setTimeout(() => {
        button.textContent = label;
        status.textContent = '';
      }, 2000);
    });
  }

  // Opens every part of the page that hides the target, and every filter that does.
  const reveal = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (!target) return;
    const list = target.closest('.filtered');
    if (list && target.getClientRects().length === 0) {
      list.querySelector('input[type=radio]').checked = true;
      delete list.dataset.show;
    }
    for (let at = target; at; at = at.parentElement) {
      if (at.tagName === 'DETAILS') at.open = true;
    }
    target.querySelector(':scope > details.part')?.setAttribute('open', '');
    target.scrollIntoView({block: 'nearest'});
  };
  addEventListener('hashchange', reveal);
  reveal();

  // For browsers that do not know :has().
  for (const radio of document.querySelectorAll('.filter input')) {
    radio.addEventListener('change', () => {
      radio.closest('.filtered').dataset.show = radio.value;
    });
  }

  for (const button of document.querySelectorAll('button[data-open]')) {
    let open = false;
    button.hidden = false;
    button.addEventListener('click', () => {
      open = !open;
      for (const row of button.closest('.filtered').querySelectorAll('details')) row.open = open;
      button.textContent = open ? words.close : words.open;
    });
  }

  const opened = [];
  addEventListener('beforeprint', () => {
    for (const details of document.querySelectorAll('.finding details.rules:not([open])')) {
      details.open = true;
      opened.push(details);
    }
  });
  addEventListener('afterprint', () => {
    for (const details of opened.splice(0)) details.open = false;
  });
})();
