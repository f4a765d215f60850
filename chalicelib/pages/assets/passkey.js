// Passkeys: the browser asks the authenticator, and the answer goes out with the form.
const able = "PublicKeyCredential" in window && "parseRequestOptionsFromJSON" in PublicKeyCredential;

async function logIn(form) {
  const answer = await fetch(form.dataset.passkey, { method: "POST" });
  if (!answer.ok) throw new Error("no options");
  const offered = await answer.json();
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(offered.publicKey);
  const credential = await navigator.credentials.get({ publicKey });
  form.elements.passkey.value = JSON.stringify(credential.toJSON());
  form.noValidate = true;
  form.requestSubmit();
}

for (const button of document.querySelectorAll("[data-use-passkey]")) {
  button.hidden = !able;
  button.addEventListener("click", () => {
    button.disabled = true;
    logIn(button.form).catch(() => { button.textContent = "Passkey login failed. Try again"; }).finally(() => { button.disabled = false; });
  });
}

for (const form of document.querySelectorAll("form[data-new-passkey]")) {
  const said = form.querySelector("[data-passkey-problem]");
  form.addEventListener("submit", (event) => {
    if (form.elements.credential.value) return;
    event.preventDefault();
    delete form.dataset.sent;
    if (!able) {
      said.textContent = "This browser does not support passkeys.";
      return;
    }
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(JSON.parse(form.dataset.newPasskey));
    navigator.credentials.create({ publicKey }).then((credential) => {
      form.elements.credential.value = JSON.stringify(credential.toJSON());
      form.requestSubmit();
    }, () => { said.textContent = "The passkey was not created. Try again, or use another device."; });
  });
}
