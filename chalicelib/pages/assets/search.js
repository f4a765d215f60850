// Search as you type: the list is replaced by the one that the server finds for what stands in the form.
const PAUSE = 200;

for (const form of document.querySelectorAll("form[data-search]")) {
  let waiting = 0;
  let request = null;

  const address = () => {
    const wanted = new URLSearchParams(new FormData(form));
    for (const [name, value] of [...wanted]) if (!value) wanted.delete(name);
    const query = wanted.toString();
    return location.pathname + (query ? `?${query}` : "");
  };

  const search = () => {
    request?.abort();
    request = new XMLHttpRequest(); // which, unlike fetch, gives a document whose scripts do not run
    request.responseType = "document";
    request.open("GET", address());
    request.onload = (event) => {
      const answer = event.target;
      const found = answer.response?.getElementById(form.dataset.search);
      if (!found) return location.assign(address());
      const list = document.getElementById(form.dataset.search);
      list.replaceChildren(...document.adoptNode(found).childNodes);
      list.dispatchEvent(new Event("keyturn:shown", { bubbles: true }));
      history.replaceState(null, "", address());
    };
    request.send();
  };

  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(search, PAUSE);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(waiting);
    search();
  });
}
