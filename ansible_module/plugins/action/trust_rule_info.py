# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module of this name as `permanent_token` runs its own."""

from __future__ import annotations

from ansible_collections.keyturn.hub.plugins.action.permanent_token import ActionModule

__all__ = ["ActionModule"]
